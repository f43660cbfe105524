"""Pages that belong to no single table: each hangs on the site, behind its login."""

from functools import partial

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from campaigns.admin import dashboard


def urls(site: AdminSite) -> list[URLPattern]:
    live = site.admin_view(partial(dashboard.live, site))
    return [path("dashboard/live/", live, name="dashboard_live")]
