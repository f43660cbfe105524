"""Pages that belong to no single table: each hangs on the site, behind its login."""

from functools import partial
from typing import TYPE_CHECKING

from django.urls import URLPattern, path

from campaigns.admin import dashboard

if TYPE_CHECKING:
    from config.admin_site import DaypostSite


def urls(site: "DaypostSite") -> list[URLPattern]:
    live = site.admin_view(partial(dashboard.live, site))
    return [path("dashboard/live/", live, name="dashboard_live")]
