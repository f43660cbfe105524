"""The dashboard: what leaves next, what needs a person."""

from typing import TYPE_CHECKING

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

if TYPE_CHECKING:
    from config.admin_site import DaypostSite


def dashboard(site: "DaypostSite", request: HttpRequest) -> HttpResponse:
    context = {**site.each_context(request), "title": "Dashboard"}
    return TemplateResponse(request, "campaigns/dashboard.html", context)
