"""Contacts: finding, adding and changing them, putting them on lists, taking them home."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.owned_admin import OwnedAdmin, is_changed
from accounts.pages_context import page_context
from accounts.tenancy import visible, workspace_of
from campaigns.admin import contact_page, contact_rights
from campaigns.admin.contact_form import contact_form
from campaigns.admin.message_page import person_of
from campaigns.contacts import consent, membership
from campaigns.contacts.address import BEYOND_ASCII
from campaigns.contacts.export import as_csv
from campaigns.models import Contact, ContactList, Suppression


class ListFilter(admin.SimpleListFilter):
    """Of the workspace's lists only: the admin's own filter would offer everybody's."""

    title = _("list")
    parameter_name = "list"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        lists = visible(ContactList.objects.all(), workspace_of(request))
        return [(str(pk), name) for pk, name in lists.values_list("pk", "name")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        chosen = self.value()
        if chosen is None:
            return queryset
        if chosen not in dict(self.lookup_choices):
            return queryset.none()
        return queryset.filter(memberships__contact_list=int(chosen))


class StandingFilter(admin.SimpleListFilter):
    title = _("standing")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, Any]]:
        return [("suppressed", _("not written to")), ("odd", _("looks odd"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        if self.value() == "suppressed":
            return queryset.filter(_is_suppressed())
        if self.value() == "odd":
            return queryset.exclude(suspicious="")
        return queryset


@admin.register(Contact)
class ContactAdmin(OwnedAdmin):
    list_display = ("email", "name", "on_lists", "standing", "created_at")
    list_filter = (ListFilter, StandingFilter)
    search_fields = ("email_key", "first_name", "last_name")
    search_help_text = _("Address or name")
    ordering = ("-pk",)
    actions = ("add_to_list", "take_off_list")
    change_list_template = "campaigns/contacts/change_list.html"
    change_form_template = "campaigns/contacts/change_form.html"
    empty_icon = "group"
    empty_title = _("No contacts yet")
    empty_text = _("A CSV file from your spreadsheet or your address book is all it takes.")
    empty_link = (_("Import contacts"), "admin:campaigns_contactimport_add")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts: QuerySet[Contact] = super().get_queryset(request)
        return contacts.prefetch_related("lists").annotate(suppressed=_is_suppressed())

    def get_form(
        self, request: HttpRequest, obj: Contact | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return super().get_form(
            request, obj, change, **{**kwargs, "form": contact_form(workspace_of(request))}
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        answer: HttpResponse = super().change_view(
            request, object_id, form_url, contact_page.known_of(request, object_id)
        )
        return answer

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        contact = form.instance
        if contact.consent and (not change or is_changed(contact, "consent")):
            consent.note_by_hand(contact, person_of(request), timezone.now())
        form.instance.lists.set(form.cleaned_data["on_lists"])

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(self.export)
        return [
            path("export/", export, name="campaigns_contact_export"),
            *contact_rights.urls(self.admin_site),
            *super().get_urls(),
        ]

    def export(self, request: HttpRequest) -> StreamingHttpResponse:
        """A CSV of what the list shows, with its search and filters."""
        shown = self.shown_rows(request)
        # Without what the screen adds for itself.
        contacts = Contact.objects.filter(pk__in=shown.order_by().values("pk"))
        name = f"contacts-{timezone.localdate().isoformat()}.csv"
        return StreamingHttpResponse(
            as_csv(workspace_of(request), contacts),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    @admin.action(description=_("Add to a list…"))
    def add_to_list(self, request: HttpRequest, queryset: QuerySet[Contact]) -> HttpResponse | None:
        return self._ask_for_list(request, queryset, "add_to_list")

    @admin.action(description=_("Take off a list…"))
    def take_off_list(
        self, request: HttpRequest, queryset: QuerySet[Contact]
    ) -> HttpResponse | None:
        return self._ask_for_list(request, queryset, "take_off_list")

    def _ask_for_list(
        self, request: HttpRequest, contacts: QuerySet[Contact], action: str
    ) -> HttpResponse | None:
        """Which list? And only then do it."""
        lists = visible(ContactList.objects.all(), workspace_of(request))
        chosen = request.POST.get("chosen_list", "")
        contact_list = lists.filter(pk=chosen).first() if chosen.isdecimal() else None
        count = contacts.count()
        if contact_list is not None:
            if action == "add_to_list":
                membership.add(contact_list, contacts)
                said = ngettext(
                    "%(count)d contact is on %(list)s.",
                    "%(count)d contacts are on %(list)s.",
                    count,
                )
            else:
                membership.remove(contact_list, contacts)
                said = ngettext(
                    "%(count)d contact is no longer on %(list)s.",
                    "%(count)d contacts are no longer on %(list)s.",
                    count,
                )
            messages.success(request, said % {"count": count, "list": contact_list.name})
            return None
        everybody = request.POST.get("select_across") == "1"
        title = _("Add to a list") if action == "add_to_list" else _("Take off a list")
        context = page_context(
            self.admin_site,
            request,
            str(title),
            action=action,
            lists=lists,
            count=count,
            everybody=everybody,
            # With "all of them" chosen, one is enough for the admin to see that some were chosen.
            chosen=request.POST.getlist("_selected_action")[: 1 if everybody else None],
            missing="apply" in request.POST,
        )
        return TemplateResponse(request, "campaigns/contacts/choose_list.html", context)

    @admin.display(description=_("name"), ordering="last_name")
    def name(self, contact: Contact) -> str:
        return contact.full_name or "–"

    @admin.display(description=_("lists"))
    def on_lists(self, contact: Contact) -> str:
        names = ((contact_list.name,) for contact_list in contact.lists.all())
        return format_html_join(", ", "{}", names) or "–"

    @admin.display(description=_("standing"))
    def standing(self, contact: Any) -> str:
        if contact.suppressed:
            return format_html('<span class="dp-badge dp-warn">{}</span>', _("not written to"))
        if contact.suspicious == BEYOND_ASCII:
            return format_html(
                '<span class="dp-badge dp-warn">{}</span>', _("cannot be sent to yet")
            )
        if contact.suspicious:
            meant = _("%(domain)s meant?") % {"domain": contact.suspicious}
            return format_html('<span class="dp-badge dp-info">{}</span>', meant)
        return ""


def _is_suppressed() -> Exists:
    return Exists(
        Suppression.objects.filter(
            workspace=OuterRef("workspace"), email_hash=OuterRef("email_hash")
        )
    )
