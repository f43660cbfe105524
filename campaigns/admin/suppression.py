"""Suppressions: whom this workspace must not write to, why, and what taking one away means."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.owned_admin import OwnedAdmin
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404, workspace_of
from campaigns.admin import suppression_bring
from campaigns.admin.badges import badge
from campaigns.contacts import suppressing
from campaigns.contacts.address import AddressRefused, email_key, normalise
from campaigns.delivery import suppression_words
from campaigns.models import Suppression
from campaigns.models.address_hash import address_hash
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
    list_display = ("address", "reason_badge", "in_words")
    search_fields = ("email_key", "note")
    search_help_text = _("Address or note (an erased one: whole)")
    readonly_fields = ("address", "in_words")
    ordering = ("-pk",)
    actions = ("delete_selected",)
    change_list_template = "campaigns/suppressions/list.html"
    delete_confirmation_template = "campaigns/suppressions/delete.html"
    delete_selected_confirmation_template = "campaigns/suppressions/delete_several.html"
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

    @admin.display(description=_("e-mail address"), ordering="email_key")
    def address(self, suppression: Suppression) -> str:
        return str(suppression)

    @admin.display(description=_("reason"), ordering="reason")
    def reason_badge(self, suppression: Suppression) -> SafeString:
        return badge(suppression.get_reason_display(), "")

    @admin.display(description=_("why"), ordering="created_at")
    def in_words(self, suppression: Suppression) -> str:
        return suppression_words.why(suppression, timezone.now())

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Suppression], search_term: str
    ) -> tuple[QuerySet[Suppression], bool]:
        """Of an address that was erased only its hash is left."""
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        try:
            key = email_key(normalise(search_term).email)
        except AddressRefused:
            return found, may_repeat
        return found | queryset.filter(email_hash=address_hash(key)), may_repeat

    def get_urls(self) -> list[URLPattern]:
        def bring(request: HttpRequest) -> HttpResponse:
            return suppression_bring.bring(self.admin_site, request)

        guarded = self.admin_site.admin_view(bring)
        theirs: list[URLPattern] = super().get_urls()
        return [path("bring/", guarded, name="campaigns_suppression_bring"), *theirs]

    # --- Taking one away ---------------------------------------------------------------------

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        chosen = visible_or_404(Suppression.objects.select_related("workspace"), request, object_id)
        answer: HttpResponse = super().delete_view(request, object_id, _what_it_means([chosen]))
        return answer

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(
            request, gettext("%(address)s may be written to again.") % {"address": obj_display}
        )
        return redirect("admin:campaigns_suppression_changelist")

    @admin.action(description=_("Take away…"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, chosen: QuerySet[Suppression]
    ) -> HttpResponse | None:
        response = delete_selected(self, request, chosen)
        if isinstance(response, TemplateResponse):
            response.context_data = {
                **(response.context_data or {}),
                **_what_it_means(list(chosen)),
            }
        return response

    # --- Adding ------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> tuple[str, ...]:
        """What the recipient did, or their server said, is nobody's to write anew."""
        theirs = (Suppression.Reason.OPTED_OUT, Suppression.Reason.BOUNCED)
        is_ours = obj is None or obj.reason not in theirs
        return ("address", "in_words", "note") if is_ours else ("address", "in_words")

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
        return TemplateResponse(request, "campaigns/suppressions/add.html", context)


def _what_it_means(chosen: list[Suppression]) -> dict[str, Any]:
    now = timezone.now()
    for one in chosen:
        one.in_words = suppression_words.why(one, now)  # type: ignore[attr-defined]
    reasons = [one.reason for one in chosen]
    return {
        "suppressions": chosen,
        "opted_out": reasons.count(Suppression.Reason.OPTED_OUT),
        "bounced": reasons.count(Suppression.Reason.BOUNCED),
    }


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
