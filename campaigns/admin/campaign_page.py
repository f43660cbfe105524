"""The page of a launched campaign: what is going on, or why not, and what can be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from csp.decorators import csp
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import standing
from accounts.models import GmailAccount
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404
from campaigns import control
from campaigns.admin.badges import MESSAGE_STYLES, campaign_badge
from campaigns.admin.messages_link import CAME_BACK, STATE, messages_url
from campaigns.admin.wizard_forms import zone_of
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.delivery.merge_links import example_links
from campaigns.models import Campaign, Message, Revision
from campaigns.models.merge_fields import merge_values
from campaigns.planning.sharing import Reason
from campaigns.rendering.letter import Letter, rendered
from campaigns.rendering.merge import MergeError
from campaigns.rendering.preview import PREVIEW_CSP, preview_document
from campaigns.reports import came_back, doubts, headline, status, wording
from campaigns.reports.consistent import consistent_reads
from campaigns.reports.outlook import calendar

# Always shown; every other state only when there is a message in it.
ALWAYS = (Message.State.SENT, Message.State.WAITING)
ORDER = (
    Message.State.SENT,
    Message.State.WAITING,
    Message.State.CLAIMED,
    Message.State.HANDING_OVER,
    Message.State.IN_DOUBT,
    Message.State.REFUSED,
    Message.State.SKIPPED,
    Message.State.CANCELLED,
)


# A page on which a message is leaving, or soon will be, asks every two seconds what is new.
SOON = timedelta(minutes=1)
LEAVING = (Message.State.CLAIMED, Message.State.HANDING_OVER)


@dataclass(frozen=True)
class Figure:
    """How many messages are in a state, and the list of them."""

    name: str
    count: int
    style: str
    url: str


def page(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    campaign = _campaign(request, pk)
    if campaign.state == Campaign.State.DRAFT:
        return redirect("admin:campaigns_campaign_change", campaign.pk)
    context = page_context(
        site,
        request,
        campaign.name,
        crumbs=[(_("Campaigns"), reverse("admin:campaigns_campaign_changelist"))],
        campaign=campaign,
        badge=campaign_badge(campaign),
        **_what_moves(campaign, timezone.now()),
    )
    return TemplateResponse(request, "campaigns/campaign/page.html", context)


def live(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """What moves on the page while it sends; a change of state loads the page again."""
    campaign = _campaign(request, pk)
    if campaign.state != Campaign.State.SENDING:
        return HttpResponse(headers={"HX-Refresh": "true"})
    context = {"campaign": campaign, **_what_moves(campaign, timezone.now())}
    return render(request, "campaigns/campaign/live.html", context)


def _campaign(request: HttpRequest, pk: int) -> Campaign:
    return visible_or_404(Campaign.objects.select_related("workspace"), request, pk)


@consistent_reads()
def _what_moves(campaign: Campaign, now: datetime) -> dict[str, Any]:
    accounts = list(campaign.accounts.order_by("id"))
    zone = zone_of(campaign.workspace, accounts)
    plan = forecast_workspace(campaign.workspace, now)
    report = status.status_of(campaign, now, plan, zone)
    planned = plan.by_day(campaign.pk) if campaign.state == Campaign.State.SENDING else {}
    sent = {day: count - planned.get(day, 0) for day, count in report.by_day.items()}
    return {
        "report": report,
        "done": report.done,
        "percent": 100 * report.done // max(campaign.recipients, 1),
        "headline": headline.of_campaign(report, now, zone),
        "again_after": 2 if _moves_soon(report, now) else 15,
        "figures": _figures(report),
        "came_back": _came_back(report),
        "answers": came_back.answers(campaign, now, zone),
        "in_doubt": report.counts[Message.State.IN_DOUBT],
        "doubts": doubts.sentence(doubts.doubts_of(campaign.messages.all()), now, zone),
        "in_doubt_url": messages_url(campaign, **{STATE: Message.State.IN_DOUBT}),
        "calendar": calendar(_some(sent), planned, now.astimezone(zone).date()),
        "launched": wording.moment(campaign.launched_at or campaign.created_at, now, zone),
        "uses": [_use(use, now, zone) for use in status.uses_of(accounts, now)],
        "zone": zone,
    }


def _moves_soon(report: status.Status, now: datetime) -> bool:
    """The last message before a rest is still leaving while the next one is a day away."""
    is_leaving = any(report.counts[state] for state in LEAVING)
    return is_leaving or (report.next_at is not None and report.next_at < now + SOON)


def _some(by_day: dict[Any, int]) -> dict[Any, int]:
    return {day: count for day, count in by_day.items() if count}


def _figures(report: status.Status) -> list[Figure]:
    return [
        Figure(
            name=str(Message.State(state).label),
            count=report.counts[state],
            style=MESSAGE_STYLES.get(state, ""),
            url=messages_url(report.campaign, **{STATE: state}),
        )
        for state in ORDER
        if state in ALWAYS or report.counts[state]
    ]


def _came_back(report: status.Status) -> list[Figure]:
    return [
        Figure(one.name, one.count, "", messages_url(report.campaign, **{CAME_BACK: one.kind}))
        for one in came_back.counts(report.events)
    ]


def _use(use: status.AccountUse, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    full = use.free_now == 0 and use.next_free_at is not None
    return {
        "account": use.account,
        "use": use,
        "next_free": wording.moment(use.next_free_at or now, now, zone) if full else "",
        "ready": use.account.state == GmailAccount.State.READY,
        "rests": standing.is_resting(use.account, now),
        # For something else than that its limit is used up.
        "waits": use.held_by not in (None, Reason.LIMIT),
    }


# --- What a person may do --------------------------------------------------------------------


def pause(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, control.pause, _("Paused."))


def resume(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, control.resume, _("It goes on where it stopped."))


def cancel(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    return _act(request, pk, control.cancel, _("Cancelled."))


def _act(
    request: HttpRequest, pk: int, action: Callable[[int], Any], sentence: str
) -> HttpResponse:
    campaign = visible_or_404(Campaign.objects.all(), request, pk)
    try:
        action(campaign.pk)
    except control.NotPossible:
        campaign.refresh_from_db(fields=["state"])
        state = campaign.get_state_display()
        refused = _("Nothing was done: this campaign is %(state)s by now.") % {"state": state}
        messages.warning(request, refused)
    else:
        messages.success(request, sentence)
    return redirect("admin:campaigns_campaign_page", campaign.pk)


# --- The frozen content ----------------------------------------------------------------------


def content(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """What was frozen at launch, as its first recipient gets it."""
    campaign = _campaign(request, pk)
    revision = _revision(campaign)
    first = _first_message(campaign)
    letter = _letter(revision, first)
    context = page_context(
        site,
        request,
        _("Content"),
        crumbs=[
            (_("Campaigns"), reverse("admin:campaigns_campaign_changelist")),
            (campaign.name, reverse("admin:campaigns_campaign_page", args=[campaign.pk])),
        ],
        campaign=campaign,
        revision=revision,
        first=first,
        subject=letter.subject,
        text=letter.text,
    )
    return TemplateResponse(request, "campaigns/campaign/content.html", context)


@csp(PREVIEW_CSP)  # type: ignore[arg-type]
def content_document(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """The frozen HTML, for a frame without scripts and without our origin."""
    campaign = _campaign(request, pk)
    letter = _letter(_revision(campaign), _first_message(campaign))
    response = HttpResponse(preview_document(letter.html))
    response["Referrer-Policy"] = "no-referrer"
    return response


def _letter(revision: Revision, first: Message | None) -> Letter:
    """As its first recipient gets it; as it was written when it does not work for them."""
    values = merge_values(first.contact, first.workspace) if first and first.contact else {}
    # Nobody's real links: whoever looks here is not the recipient.
    values |= example_links()
    try:
        return rendered(revision.subject, revision.html, revision.text, values)
    except MergeError:
        return Letter(revision.subject, revision.html, revision.text)


def _revision(campaign: Campaign) -> Revision:
    """The newest; 404 for a draft, which has none."""
    revision = campaign.revisions.order_by("-number").first()
    if revision is None:
        raise Http404
    return revision


def _first_message(campaign: Campaign) -> Message | None:
    with_people = campaign.messages.filter(contact__isnull=False)
    return with_people.select_related("contact", "workspace").order_by("id").first()
