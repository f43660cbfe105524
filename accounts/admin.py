"""The list of Gmail accounts, and the page of each."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import (
    doctor_page,
    halts,
    ledger,
    limit_words,
    quota,
    release_page,
    rest_words,
    rests,
    sent,
    standing,
    time_zones,
)
from accounts.doctor import check_ups, remedies
from accounts.identity import checked_address, checked_name
from accounts.models import GmailAccount
from accounts.owned_admin import OwnedAdmin, is_changed

State = GmailAccount.State
STYLES = {
    State.READY: "dp-good",
    State.NEEDS_RECONNECTING: "dp-danger",
    State.DISCONNECTED: "",
}


IDENTITY = ("display_name", "from_address", "reply_to")
RAMP = ("ramp", "ramp_first", "ramp_growth")
LIMITS = ("limit", *RAMP, "reserve_by_hand", "reserve_transactional", "time_zone")
LINE = ("smtp_security", "inbound", "self_test")


class GmailAccountForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = GmailAccount
        fields = (*IDENTITY, *LIMITS, *LINE)
        help_texts = {
            "display_name": gettext_lazy(
                "Yours or your shop's, in any script. Without one they see the address alone."
            ),
            "from_address": gettext_lazy(
                "Leave it empty for the account's own. Any other must be verified in Gmail first: "
                "Settings > See all settings > Accounts and Import > Send mail as > Add another "
                "email address. Gmail replaces an address that it has not verified."
            ),
            "reply_to": gettext_lazy(
                "Leave it empty, and replies come back to the sender. Daypost sees only those that "
                "reach this account's own mailbox."
            ),
            "limit": gettext_lazy(
                "Gmail allows 500 for a personal account, and 2,000 for Google Workspace (500 in "
                "its trial). Mail that you write yourself counts too."
            ),
            "ramp": gettext_lazy(
                "Gmail refuses a new mailbox far below its limit. Leave it out for one that is old "
                "and well used."
            ),
            "inbound": gettext_lazy(
                "IMAP is better: Daypost looks into Sent as well, and nothing turns read. By POP "
                "it sees what the last 30 days brought, and reads headers only: a message that is "
                "fetched whole would disappear from your other programs."
            ),
            "self_test": gettext_lazy(
                "Uses one message of the day's limit, and shows what Gmail makes of the sender."
            ),
        }
        widgets = {"time_zone": time_zones.AdminTimeZoneSelect()}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["time_zone"].widget.choices = time_zones.choices(self.instance.time_zone)
        for name in RAMP:
            # Asked for only where the plan is on: see `clean`.
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        for name in RAMP[1:]:
            if given.get(name) is None and name not in self.errors:
                if given.get("ramp"):
                    self.add_error(name, _("Give a number, or leave the plan out."))
                given[name] = getattr(self.instance, name)
        kept = (given.get("reserve_by_hand") or 0) + (given.get("reserve_transactional") or 0)
        if given.get("ramp") and given.get("ramp_first", kept + 1) <= kept < given.get("limit", 0):
            sentence = _(
                "Nothing would be left for campaigns on the first day: %(kept)s are kept free. "
                "Begin with more, or keep less free."
            )
            self.add_error("ramp_first", sentence % {"kept": kept})
        return given

    def clean_display_name(self) -> str:
        return checked_name(self.cleaned_data["display_name"])

    def clean_from_address(self) -> str:
        address = checked_address(self.cleaned_data["from_address"])
        is_own = address.casefold() == self.instance.address.casefold()
        return "" if is_own else address

    def clean_reply_to(self) -> str:
        return checked_address(self.cleaned_data["reply_to"])


@admin.register(GmailAccount)
class GmailAccountAdmin(OwnedAdmin):
    form = GmailAccountForm
    fieldsets = (
        (gettext_lazy("What recipients see"), {"fields": IDENTITY}),
        (gettext_lazy("How much it sends"), {"fields": LIMITS}),
        (gettext_lazy("How it reaches Gmail"), {"fields": LINE}),
    )
    list_display = ("address", "state_in_words", "limit_in_words", "auth_in_words")
    list_display_links = ("address",)
    change_form_template = "accounts/gmail_account.html"
    change_list_template = "accounts/gmail_accounts.html"
    empty_icon = "alternate_email"
    empty_title = gettext_lazy("No Gmail account yet")
    empty_text = gettext_lazy(
        "Daypost sends from your own Gmail. Connect an account, or practise first: nothing leaves "
        "this machine then."
    )
    empty_link = (gettext_lazy("Connect Gmail"), "admin:gmail_connect")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return redirect("admin:gmail_connect")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # What an account has sent keeps counting at Gmail: it is disconnected instead.
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if is_changed(obj, "ramp"):
            obj.ramp_began_at = None
        super().save_model(request, obj, form, change)
        if is_changed(obj, "from_address"):
            # What a test mail has found out was about another address; and it may have found it
            # while this form was being saved.
            GmailAccount.objects.filter(pk=obj.pk).update(keeps_from=None)
            if obj.state != State.DISCONNECTED:
                check_ups.ask_anew(obj, timezone.now())

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        tries_it = obj.from_address and obj.self_test and obj.state == State.READY
        if not (tries_it and is_changed(obj, "from_address")):
            page: HttpResponse = super().response_change(request, obj)
            return page
        sentence = _("Saved. Daypost is trying %(alias)s: the result comes beside “Doctor”.")
        messages.success(request, sentence % {"alias": obj.from_address})
        return redirect("admin:accounts_gmailaccount_change", obj.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        extra = {**(extra_context or {}), **(_standing(account, request) if account else {})}
        page: HttpResponse = super().change_view(request, object_id, form_url, extra)
        return page

    @admin.display(description=gettext_lazy("state"), ordering="state")
    def state_in_words(self, account: Any) -> SafeString:
        practice = _badge(_("Practice"), "dp-info") if account.practice else ""
        resting = rest_words.why(account.resting_reason) if is_resting(account) else ""
        return format_html(
            '<div class="gm-state">{} {}<p class="dp-muted">{}</p></div>',
            state_badge(account),
            practice,
            account.state_reason or resting,
        )

    @admin.display(description=gettext_lazy("in any 24 hours"), ordering="limit")
    def limit_in_words(self, account: Any) -> str:
        in_force = ledger.limits(account).in_force(timezone.now())
        if in_force < account.limit:
            named = {"now": number_format(in_force), "limit": number_format(account.limit)}
            return _("%(now)s of %(limit)s messages now") % named
        return _("%(limit)s messages") % {"limit": number_format(account.limit)}

    @admin.display(description=gettext_lazy("connected by"), ordering="auth")
    def auth_in_words(self, account: Any) -> str:
        return str(capfirst(account.get_auth_display()))


def is_resting(account: GmailAccount) -> bool:
    return standing.is_resting(account, timezone.now())


def state_badge(account: GmailAccount) -> SafeString:
    if account.state == State.READY and halts.of(account) is not None:
        return _badge(_("Halted"), "dp-danger")
    if account.state == State.READY and is_resting(account):
        return _badge(_("Resting"), "dp-warn")
    return _badge(account.get_state_display(), STYLES[State(account.state)])


def _badge(word: Any, style: str) -> SafeString:
    return format_html('<span class="dp-badge {}">{}</span>', style, capfirst(word))


def _standing(account: GmailAccount, request: HttpRequest) -> dict[str, Any]:
    """What the page says of an account beside its settings."""
    now = timezone.now()
    limits = ledger.limits(account)
    entries = ledger.totals(account, now)
    return {
        "state_badge": state_badge(account),
        "halt": halts.of(account),
        **release_page.offer(account, request),
        "is_resting": is_resting(account),
        "resting_why": rest_words.why(account.resting_reason),
        "resting_said": rest_words.said(account.resting_reason),
        "rests": rests.history(account, now),
        "used": quota.used(entries, now),
        "used_by_hand": ledger.by_hand(entries),
        "kept_by_hand": sent.kept_in_words(account, limits.kept_by_hand),
        **doctor_page.findings(account, now),
        "how_to_verify": remedies.verify_alias(account),
        "limits": limit_words.card(account, limits, now),
        # Accounts are connected, not added; and one saves and is done.
        "show_save_and_add_another": False,
        "show_save_and_continue": False,
    }
