"""The settings of a workspace, and choosing among several."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from accounts import time_zones
from accounts.models import Workspace
from accounts.pages_context import page_context
from accounts.tenancy import choose_workspace, is_owner, workspace_of


class WorkspaceForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Workspace
        fields = ["name", "postal_address", "time_zone", "soft_bounces"]
        widgets = {"time_zone": time_zones.TimeZoneSelect()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.choices = time_zones.choices(self.instance.time_zone)

    def save(self, commit: bool = True) -> Workspace:
        """Write only what was changed, and not back what others have changed meanwhile."""
        workspace: Workspace = self.instance
        if commit:
            workspace.save(update_fields=self.changed_data)
        return workspace


def workspace_settings(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """Every member sees them, owners change them."""
    workspace = workspace_of(request)
    may_change = is_owner(request)
    # A copy of its own: a refused name must not show in the menu as if it were saved.
    form = WorkspaceForm(request.POST or None, instance=Workspace.objects.get(pk=workspace.pk))
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid():
            form.save()
            messages.success(request, _("The settings are saved."))
            return redirect("admin:settings")
    context = page_context(site, request, _("Settings"), form=form, may_change=may_change)
    return TemplateResponse(request, "accounts/workspace_settings.html", context)


def switch_workspace(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """POST `workspace`: work in another of one's own; 404 for somebody else's."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    chosen = request.POST.get("workspace", "")
    if not chosen.isdecimal():
        raise Http404
    workspace = choose_workspace(request, int(chosen))
    messages.success(request, _("You now work in %(name)s.") % {"name": workspace.name})
    return redirect("admin:index")
