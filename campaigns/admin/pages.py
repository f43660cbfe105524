"""Pages that belong to no single table: each hangs on the site, behind its login."""

from functools import partial
from typing import Any

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from campaigns.admin import dashboard, over_time, public_address


def urls(site: AdminSite) -> list[URLPattern]:
    live = site.admin_view(partial(dashboard.live, site))
    reached = site.admin_view(partial(public_address.public_address, site))
    report = site.admin_view(partial(over_time.page, site))
    download: Any = partial(over_time.download, site)
    return [
        path("dashboard/live/", live, name="dashboard_live"),
        path("settings/public-address/", reached, name="public_address"),
        path("report/", report, name="report"),
        path("report/download/", site.admin_view(download), name="report_download"),
    ]
