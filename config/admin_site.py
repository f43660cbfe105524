"""The AdminSite that the whole web interface hangs on: the product itself, not a back room."""

from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, path
from unfold.sites import UnfoldAdminSite

from accounts.signup import is_unclaimed
from accounts.tenancy import current_workspace, own_workspaces


class DaypostSite(UnfoldAdminSite):
    """Logging in, out and changing the password belong to allauth; the index is the dashboard."""

    enable_nav_sidebar = True
    empty_value_display = "–"

    def has_permission(self, request: HttpRequest) -> bool:
        return current_workspace(request) is not None

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Take only tables that belong to a workspace; libraries offer theirs, unasked."""
        from accounts.owned_admin import OwnedAdmin

        if admin_class is not None and issubclass(admin_class, OwnedAdmin):
            super().register(model_or_iterable, admin_class, **options)
        elif admin_class is None or admin_class.__module__.split(".")[0] in {
            "accounts",
            "campaigns",
        }:
            raise TypeError(f"Register {model_or_iterable} with an OwnedAdmin.")

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        return {
            **super().each_context(request),
            "workspace": current_workspace(request),
            "workspaces": own_workspaces(request),
        }

    def get_urls(self) -> list[URLPattern | URLResolver]:
        from accounts import pages as account_pages
        from campaigns.admin import pages

        theirs = {"login", "logout", "password_change", "password_change_done", "view_on_site"}
        theirs |= {"search"}  # of the theme's command palette
        kept = [url for url in super().get_urls() if getattr(url, "name", None) not in theirs]
        ours = [
            path("login/", self.login, name="login"),
            path("logout/", lambda request: redirect("account_logout"), name="logout"),
            path(
                "password/",
                lambda request: redirect("account_change_password"),
                name="password_change",
            ),
        ]
        return [*ours, *account_pages.urls(self), *pages.urls(self), *kept]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            return render(request, "accounts/no_workspace.html", status=403)
        if is_unclaimed():
            return redirect("account_signup")
        return redirect_to_login(request.GET.get("next", "/"))

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("admin:index")

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        from campaigns.admin.dashboard import dashboard

        return dashboard(self, request)
