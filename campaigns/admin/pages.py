"""Pages that belong to no single table: each hangs on the site, behind its login."""

from functools import partial

from django.contrib.admin import AdminSite
from django.urls import URLPattern, path

from campaigns.admin import dashboard, public_address


def urls(site: AdminSite) -> list[URLPattern]:
    live = site.admin_view(partial(dashboard.live, site))
    reached = site.admin_view(partial(public_address.public_address, site))
    return [
        path("dashboard/live/", live, name="dashboard_live"),
        path("settings/public-address/", reached, name="public_address"),
    ]
