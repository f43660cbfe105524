"""What came back, as one list: answers, reports of delivery, and what could not be placed."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _g
from django.utils.translation import gettext_lazy as _
from unfold.paginator import InfinitePaginator

from accounts.owned_admin import OwnedAdmin
from campaigns.admin.badges import badge
from campaigns.admin.state_links import StateList
from campaigns.models import InboundMail
from campaigns.reports import wording
from gmail.failures import Verdict

VERDICTS = {
    Verdict.HARD: _("address does not work"),
    Verdict.SOFT: _("not delivered this time"),
    Verdict.BLOCKED: _("refused"),
    Verdict.DELAY: _("delayed"),
    Verdict.LIMIT: _("sending limit"),
}


class PlaceFilter(admin.SimpleListFilter):
    title = _("place")
    parameter_name = "place"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        here = model_admin.get_queryset(request)
        unplaced, unproven = here.filter(message=None), here.filter(trusted=False)
        return [
            ("unplaced", _counted(_g("about no message that is known"), unplaced)),
            ("unproven", _counted(_g("not proven, so nothing was done"), unproven)),
        ]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[InboundMail]
    ) -> QuerySet[InboundMail]:
        match self.value():
            case "unplaced":
                return queryset.filter(message=None)
            case "unproven":
                return queryset.filter(trusted=False)
            case _:
                return queryset


def _counted(words: str, rows: QuerySet[InboundMail]) -> str:
    return f"{words} ({wording.number(rows.count())})"


@admin.register(InboundMail)
class InboundMailAdmin(OwnedAdmin):
    list_display = ("what", "who", "words", "about", "received")
    list_display_links = None
    list_select_related = ("message", "account")
    list_filter = ("kind", PlaceFilter)
    search_fields = ("sender", "recipient", "subject")
    search_help_text = _("Address or subject")
    paginator = InfinitePaginator
    ordering = ("-pk",)
    actions = None
    empty_icon = "inbox"
    empty_title = _("Nothing has come back yet")
    empty_text = _(
        "Answers, delivery reports and opt-outs show here. Nothing of your other mail is kept."
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: it makes reading the same mail twice harmless."""
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StateList]:
        return StateList

    @admin.display(description=_("kind"), ordering="kind")
    def what(self, mail: InboundMail) -> SafeString:
        if mail.kind != InboundMail.Kind.REPORT:
            style = "dp-accent" if mail.kind == InboundMail.Kind.REPLY else ""
            return badge(mail.get_kind_display(), style)
        word = str(VERDICTS.get(Verdict(mail.verdict), mail.get_kind_display()))
        if not mail.trusted:
            word = _g("%(word)s, not proven") % {"word": word}
        return badge(word, "dp-warn")

    @admin.display(description=_("who"))
    def who(self, mail: InboundMail) -> str:
        """Of a report, whom it is about: that it is from Gmail says nothing."""
        return mail.recipient or mail.sender or "–"

    @admin.display(description=_("words"))
    def words(self, mail: InboundMail) -> str:
        longest = 80
        words = " ".join((mail.said or mail.text or mail.subject).split())
        return words if len(words) <= longest else f"{words[:longest]}…"

    @admin.display(description=_("message"))
    def about(self, mail: InboundMail) -> SafeString | str:
        if mail.message is None:
            return "–"
        url = reverse("admin:campaigns_message_change", args=[mail.message.pk])
        return format_html('<a href="{}">{}</a>', url, mail.message.to_email or _g("erased"))

    @admin.display(description=_("received"), ordering="at")
    def received(self, mail: InboundMail) -> str:
        return wording.moment(mail.at, timezone.now(), ZoneInfo(mail.account.time_zone))
