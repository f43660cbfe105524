"""Pages about the workspace that belong to no single table: each hangs on the site."""

from collections.abc import Callable
from functools import partial

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path

from accounts import (
    clock_page,
    doctor_page,
    gmail_pages,
    limit_pages,
    mail_program_page,
    people,
    release_page,
    workspace_settings,
)


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        return site.admin_view(partial(view, site))

    return [
        path("settings/", page(workspace_settings.workspace_settings), name="settings"),
        path("workspace/", page(workspace_settings.switch_workspace), name="choose_workspace"),
        path("people/", page(people.people), name="people"),
        path("people/<int:pk>/remove/", page(people.remove), name="remove_person"),
        *gmail_pages.urls(site),
        *mail_program_page.urls(site),
        *doctor_page.urls(site),
        *limit_pages.urls(site),
        *clock_page.urls(site),
        *release_page.urls(site),
    ]
