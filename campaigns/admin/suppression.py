"""Suppressions: whom this workspace must not write to. Added by hand, several at once."""

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.owned_admin import OwnedAdmin
from accounts.pages_context import page_context
from accounts.tenancy import workspace_of
from campaigns.admin.badges import badge
from campaigns.contacts import suppressing
from campaigns.models import Suppression
from campaigns.reports import wording


class SuppressForm(forms.Form):
    addresses = forms.CharField(
        label=_("E-mail addresses"),
        widget=forms.Textarea(attrs={"rows": 6, "autofocus": True, "spellcheck": "false"}),
        help_text=_("One or many: a line each, or with commas between them."),
        error_messages={"required": _("Give at least one address.")},
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=1000,
        help_text=_("Why, for whoever looks here later. Only you see it."),
    )

    def clean_addresses(self) -> list[str]:
        keys, wrong = suppressing.read_addresses(self.cleaned_data["addresses"])
        if wrong:
            sentence = ngettext(
                "This is not an e-mail address: %(wrong)s. Nothing was added yet.",
                "These are not e-mail addresses: %(wrong)s. Nothing was added yet.",
                len(wrong),
            )
            raise forms.ValidationError(sentence % {"wrong": _named(wrong)})
        if not keys:
            raise forms.ValidationError(self.fields["addresses"].error_messages["required"])
        return keys


def _named(wrong: list[str]) -> str:
    """The first few of what was wrong, shortened: a pasted page is not repeated."""
    shown = ", ".join(f"“{text[:60]}”" for text in wrong[:5])
    return shown if len(wrong) <= 5 else f"{shown}, …"


@admin.register(Suppression)
class SuppressionAdmin(OwnedAdmin):
    list_display = ("email_key", "reason_badge", "note", "since")
    search_fields = ("email_key", "note")
    search_help_text = _("Address or note")
    fields = ("email_key", "reason", "note")
    readonly_fields = ("email_key", "reason")
    ordering = ("-pk",)
    actions = ("delete_selected",)
    change_list_template = "campaigns/suppression_list.html"
    empty_icon = "block"
    empty_title = _("Nobody is suppressed")
    empty_text = _(
        "Whoever stands here gets nothing from any campaign: people who opted out, addresses that "
        "do not work, and those you add by hand."
    )
    empty_link = (_("Suppress addresses"), "admin:campaigns_suppression_add")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Suppression]:
        rows: QuerySet[Suppression] = super().get_queryset(request)
        return rows.prefetch_related("workspace")

    @admin.display(description=_("reason"), ordering="reason")
    def reason_badge(self, suppression: Suppression) -> SafeString:
        return badge(suppression.get_reason_display(), "")

    @admin.display(description=_("since"), ordering="created_at")
    def since(self, suppression: Suppression) -> str:
        zone = ZoneInfo(suppression.workspace.time_zone)
        return wording.moment(suppression.created_at, timezone.now(), zone)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        form = SuppressForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            cleaned = form.cleaned_data
            added = suppressing.suppress(
                workspace_of(request), cleaned["addresses"], cleaned["note"]
            )
            messages.success(request, _added(added, len(cleaned["addresses"]) - added))
            return redirect("admin:campaigns_suppression_changelist")
        context = page_context(
            self.admin_site,
            request,
            gettext("Suppress addresses"),
            crumbs=[(gettext("Suppressions"), reverse("admin:campaigns_suppression_changelist"))],
            form=form,
        )
        return TemplateResponse(request, "campaigns/suppress.html", context)


def _added(added: int, known: int) -> str:
    sentence = ngettext(
        "%(count)s address gets nothing any more.",
        "%(count)s addresses get nothing any more.",
        added,
    ) % {"count": wording.number(added)}
    if known:
        sentence += " " + ngettext(
            "%(count)s was here already.", "%(count)s were here already.", known
        ) % {"count": wording.number(known)}
    return sentence
