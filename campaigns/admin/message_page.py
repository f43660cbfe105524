"""The page of one message: its story, and what a person may decide about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404
from campaigns import decisions
from campaigns.admin.badges import message_badge
from campaigns.delivery.doubt import session_over_at
from campaigns.models import Event, HistoryEntry, InboundMail, Message
from campaigns.reports import doubts, wording

M = Message.State
Kind = HistoryEntry.Kind
Decide = Callable[[Message, User | None, datetime], None]


def urls(site: AdminSite) -> list[URLPattern]:
    def ours(route: str, name: str, view: Callable[..., HttpResponse]) -> URLPattern:
        guarded = site.admin_view(require_POST(view))
        return path(f"<int:pk>/{route}/", guarded, name=f"campaigns_message_{name}")

    return [
        ours("arrived", "arrived", it_arrived),
        ours("send-again", "send_again", send_again),
        ours("try-again", "try_again", try_again),
    ]


def page(site: AdminSite, request: HttpRequest, pk: str) -> HttpResponse:
    message, now = _message(request, pk), timezone.now()
    crumbs = [(_("Messages"), reverse("admin:campaigns_message_changelist"))]
    if message.campaign:
        url = reverse("admin:campaigns_campaign_page", args=[message.campaign.pk])
        crumbs.append((message.campaign.name, url))
    context = page_context(
        site,
        request,
        message.recipient,
        crumbs=crumbs,
        message=message,
        badge=message_badge(message),
        times=_times(message, now),
        came_back=_came_back(message, now),
        zone=zone_of(message),
        **_what_may_be_decided(message, now),
    )
    return TemplateResponse(request, "campaigns/message.html", context)


def zone_of(message: Message) -> ZoneInfo:
    """The zone of the account that sends it, as far as that is known."""
    return ZoneInfo((message.account or message.workspace).time_zone)


def _message(request: HttpRequest, pk: int | str) -> Message:
    related = ("campaign", "account", "contact", "workspace", "ledger_row")
    return visible_or_404(Message.objects.defer("raw").select_related(*related), request, pk)


# --- What a person may decide ----------------------------------------------------------------


def it_arrived(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, decisions.it_arrived, _("It counts as sent: you said so."))


def send_again(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, decisions.send_again, _("It waits for its turn to go out again."))


def try_again(request: HttpRequest, pk: int) -> HttpResponse:
    return _decide(request, pk, decisions.try_again, _("It waits for its turn to be tried again."))


def _decide(request: HttpRequest, pk: int, decide: Decide, sentence: str) -> HttpResponse:
    message = _message(request, pk)
    try:
        decide(message, person_of(request), timezone.now())
    except decisions.NotPossible as error:
        refused = _("Nothing was done. %(why)s") % {"why": error}
        messages.warning(request, refused)
    else:
        messages.success(request, sentence)
    return redirect("admin:campaigns_message_change", message.pk)


def person_of(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _what_may_be_decided(message: Message, now: datetime) -> dict[str, Any]:
    if message.state == M.REFUSED:
        return {"why_not": decisions.why_not_try_again(message)}
    if message.state != M.IN_DOUBT:
        return {}
    zone = zone_of(message)
    until = doubts.until_of(message.doubt_since)
    over_at = session_over_at(message)
    not_yet = over_at is not None and over_at > now
    return {
        "why_held": doubts.why_held(message),
        "looked_for_until": wording.clock(until, now, zone) if until and until > now else "",
        "why_not": decisions.why_not_send_again(message, now),
        "is_written_anew": decisions.is_written_anew(message),
        "offered_at": wording.clock(over_at, now, zone) if over_at and not_yet else "",
    }


# --- What came back ----------------------------------------------------------------------------


def _came_back(message: Message, now: datetime) -> list[InboundMail]:
    mails = list(message.inbound_mail.order_by("at", "pk"))
    for mail in mails:
        mail.told_at = wording.moment(mail.at, now, zone_of(message))  # type: ignore[attr-defined]
    return mails


# --- Its story -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Happening:
    """One line of a message's story."""

    what: str
    at: str
    detail: str = ""


def _times(message: Message, now: datetime) -> list[Happening]:
    zone = zone_of(message)
    told: list[tuple[datetime, str, str]] = [
        *_ordinary(message),
        *((entry.at, *_told(entry)) for entry in message.history.select_related("by")),
        *(
            (event.at, str(event.get_kind_display()).capitalize(), _detail(event))
            for event in message.events.order_by("at")
        ),
    ]
    # Stable: what happened at one moment stays in the order in which it is told.
    in_order = sorted(told, key=lambda one: one[0])
    return [Happening(what, wording.moment(at, now, zone), detail) for at, what, detail in in_order]


def _detail(event: Event) -> str:
    """What was answered stands below, whole."""
    return "" if event.kind == Event.Kind.REPLIED else event.detail


def _ordinary(message: Message) -> list[tuple[datetime, str, str]]:
    """Its ordinary way; what ended a doubt stands in its history instead of Gmail's word."""
    doubted = Kind.FOUND, Kind.ARRIVED
    of_doubt = message.history.filter(kind__in=doubted).exists()
    known = [
        (message.created_at, _("Created")),
        (message.handed_over_at, _("Handed over to Gmail")),
        (None if of_doubt else message.sent_at, _("Accepted by Gmail")),
    ]
    return [(at, what, "") for at, what in known if at]


def _told(entry: HistoryEntry) -> tuple[str, str]:
    what = str(entry.get_kind_display())
    if entry.kind in (Kind.ARRIVED, Kind.SENT_AGAIN, Kind.TRIED_AGAIN):
        named = {"decision": what, "person": entry.by or _("somebody who is gone")}
        what = _("%(decision)s, said %(person)s") % named
    return what, entry.detail
