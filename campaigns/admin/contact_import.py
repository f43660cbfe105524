"""Imports: the list of them, and the wizard in place of the admin's own forms."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.owned_admin import OwnedAdmin
from campaigns.admin import import_pages
from campaigns.contacts import intake
from campaigns.models import ContactImport


@admin.register(ContactImport)
class ContactImportAdmin(OwnedAdmin):
    list_display = ("file_name", "contact_list", "state_in_words", "rows_seen", "new", "rejected")
    list_select_related = ("contact_list",)
    search_fields = ("file_name",)
    change_list_template = "campaigns/imports/change_list.html"
    empty_icon = "upload_file"
    empty_title = _("No imports yet")
    empty_text = _("A CSV file from your spreadsheet or your address book is all it takes.")
    empty_link = (_("Import contacts"), "admin:campaigns_contactimport_add")

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            def answer(request: HttpRequest, pk: int) -> HttpResponseBase:
                answered: HttpResponseBase = view(self.admin_site, request, pk)
                return answered

            found: URLPattern = path(
                f"<int:pk>/{route}/",
                self.admin_site.admin_view(answer),
                name=f"campaigns_contactimport_{name}",
            )
            return found

        return [
            page("progress", import_pages.progress, "progress"),
            page("cancel", import_pages.cancel, "cancel"),
            page("rejected", import_pages.rejected, "rejected"),
            *super().get_urls(),
        ]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return import_pages.upload(self.admin_site, request)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Any = None,
    ) -> HttpResponse:
        return import_pages.show(self.admin_site, request, object_id)

    def delete_model(self, request: HttpRequest, obj: ContactImport) -> None:
        intake.discard(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactImport]) -> None:
        for job in queryset:
            intake.discard(job)

    @admin.display(description=_("state"), ordering="state")
    def state_in_words(self, job: ContactImport) -> str:
        badge = import_pages.BADGES.get(import_pages.State(job.state), "")
        return format_html('<span class="dp-badge {}">{}</span>', badge, job.get_state_display())

    @admin.display(description=_("rows"))
    def rows_seen(self, job: ContactImport) -> int:
        return job.rows

    @admin.display(description=_("new"), ordering="imported")
    def new(self, job: ContactImport) -> int:
        return job.imported

    @admin.display(description=_("rejected"), ordering="invalid")
    def rejected(self, job: ContactImport) -> int:
        return job.invalid
