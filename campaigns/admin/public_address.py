"""The page of the public address: whether it is reached, what for, and what to do."""

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.pages_context import page_context
from campaigns import reachable


def public_address(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """POST looks again, at once."""
    now = timezone.now()
    if request.method == "POST":
        reachable.look(now)
        messages.info(request, _("Daypost has just asked for its own address."))
        return redirect("admin:public_address")
    context = page_context(
        site,
        request,
        _("Public address"),
        crumbs=[(_("Settings"), reverse("admin:settings"))],
        public_url=settings.PUBLIC_URL,
        found=reachable.known(),
        is_reachable=reachable.is_reachable(now),
    )
    return TemplateResponse(request, "campaigns/public_address.html", context)
