"""Pages that belong to no single table: each hangs on the site, behind its login."""

from typing import TYPE_CHECKING

from django.urls import URLPattern

if TYPE_CHECKING:
    from config.admin_site import DaypostSite


def urls(site: "DaypostSite") -> list[URLPattern]:
    return []
