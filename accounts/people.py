"""The page of the people of a workspace. Every member sees it, owners change it."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Membership
from accounts.pages_context import page_context
from accounts.password_links import password_link, site_url
from accounts.team import (
    AlreadyMember,
    LastOwner,
    WorksElsewhere,
    add_person,
    may_be_given_a_link,
    remove_person,
)
from accounts.tenancy import is_owner, visible, visible_or_404, workspace_of


class AddPersonForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(role.value, capfirst(role.label)) for role in Membership.Role],
        help_text=gettext_lazy("A member does everything except change people and settings."),
    )


def people(site: AdminSite, request: HttpRequest) -> HttpResponse:
    may_change = is_owner(request)
    form = AddPersonForm(request.POST or None, initial={"role": Membership.Role.MEMBER})
    if request.method == "POST":
        if not may_change:
            raise PermissionDenied
        if form.is_valid() and _add(request, form):
            return redirect("admin:people")
    context = page_context(
        site,
        request,
        _("People"),
        form=form,
        may_change=may_change,
        members=[_row(request, member, may_change) for member in _members(request)],
    )
    return TemplateResponse(request, "accounts/people.html", context)


def remove(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, then take a person out of the workspace."""
    membership = visible_or_404(Membership.objects.select_related("user"), request, pk)
    if not is_owner(request):
        raise PermissionDenied
    if request.method == "POST":
        try:
            remove_person(membership)
        except LastOwner as error:
            messages.error(request, str(error))
        else:
            done = _("%(email)s is no longer in this workspace.")
            messages.success(request, done % {"email": membership.user.email})
        return redirect("admin:people")
    title = _("Remove %(email)s?") % {"email": membership.user.email}
    context = page_context(site, request, title, crumbs=[(_("People"), "../../")])
    return TemplateResponse(request, "accounts/remove_person.html", context)


def _add(request: HttpRequest, form: AddPersonForm) -> bool:
    values = form.cleaned_data
    try:
        membership = add_person(workspace_of(request), values["email"], values["role"])
    except (AlreadyMember, WorksElsewhere) as error:
        form.add_error("email", str(error))
        return False
    done = _("%(email)s is added. Hand over the link below, by which they set a password.")
    messages.success(request, done % {"email": membership.user.email})
    return True


def _members(request: HttpRequest) -> Any:
    everybody = Membership.objects.select_related("user").order_by("created_at", "pk")
    return visible(everybody, workspace_of(request))


def _row(request: HttpRequest, member: Membership, may_change: bool) -> dict[str, Any]:
    link = ""
    if may_change and may_be_given_a_link(member):
        link = password_link(member.user, site_url(request))
    return {
        "membership": member,
        "user": member.user,
        "is_me": member.user == request.user,
        "waits": not member.user.has_usable_password(),
        "link": link,
    }
