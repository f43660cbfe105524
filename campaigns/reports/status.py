"""What is going on with a campaign, or why nothing leaves now. Read only."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, DateTimeField, Value
from django.db.models.functions import Coalesce, TruncDate
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import halts, ledger, limit_words, quota, rest_words
from accounts.ledger import Entry
from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns.delivery import snapshot
from campaigns.delivery.forecasting import forecast_workspace
from campaigns.models import Campaign, Event, Message
from campaigns.planning import sharing
from campaigns.planning.forecast import Forecast
from campaigns.planning.sharing import Reason, Turn
from campaigns.states import DONE


@dataclass(frozen=True)
class Status:
    """A campaign at one moment. Moments are in UTC; `why_not_now` is None while it is sending.

    `held_by` is what keeps a sending campaign from sending now, for whoever wants other words.
    """

    campaign: Campaign
    counts: dict[str, int]
    events: dict[str, int]
    why_not_now: str | None
    held_by: Reason | None
    next_at: datetime | None
    next_to: str | None
    finishes: datetime | None
    by_day: dict[date, int]

    @property
    def done(self) -> int:
        """Recipients whose message left, or never can."""
        return sum(self.counts[state] for state in DONE)


def status_of(
    campaign: Campaign,
    now: datetime,
    plan: Forecast | None = None,
    zone: ZoneInfo | None = None,
) -> Status:
    """`plan`: the workspace's forecast, when the caller has it already.

    `zone` is the one in which the reason tells its moment: that of the page around it, or else
    that of the account it is about.
    """
    if plan is None:
        plan = forecast_workspace(campaign.workspace, now)
    counts = message_counts(campaign)
    sending = campaign.state == Campaign.State.SENDING
    held_by = obstacle(campaign, now) if sending and counts[Message.State.WAITING] else None
    return Status(
        campaign=campaign,
        counts=counts,
        events=event_counts(campaign),
        why_not_now=_sentence(*held_by, now, zone) if held_by else _at_rest(campaign),
        held_by=held_by[0].reason if held_by else None,
        next_at=plan.next_at(campaign.pk) if sending else None,
        next_to=next_recipient(campaign) if sending else None,
        finishes=plan.finishes(campaign.pk) if sending else campaign.finished_at,
        by_day=sent_and_planned(campaign, plan, now),
    )


def message_counts(campaign: Campaign) -> dict[str, int]:
    """Messages by state; every state is named, and together they are the recipients."""
    found = campaign.messages.order_by().values_list("state").annotate(count=Count("id"))
    return {**dict.fromkeys(Message.State.values, 0), **dict(found)}


def event_counts(campaign: Campaign) -> dict[str, int]:
    events = Event.objects.filter(message__campaign=campaign, by_machine=False).order_by()
    found = events.values_list("kind").annotate(count=Count("message", distinct=True))
    return {**dict.fromkeys(Event.Kind.values, 0), **dict(found)}


def sent_and_planned(campaign: Campaign, plan: Forecast, now: datetime) -> dict[date, int]:
    """A day, in the zone of the account that sends: what was sent plus what is planned.

    What is claimed at this moment leaves today.
    """
    days = sent_by_day(campaign, now)
    if campaign.state == Campaign.State.SENDING:
        days.update(plan.by_day(campaign.pk))
    return dict(sorted(days.items()))


def sent_by_day(campaign: Campaign, now: datetime) -> Counter[date]:
    leaving = Message.State.SENT, Message.State.CLAIMED, Message.State.HANDING_OVER
    days = Counter[date]()
    zones: dict[str, list[GmailAccount]] = defaultdict(list)
    for account in campaign.accounts.all():
        zones[account.time_zone].append(account)
    for zone, accounts in zones.items():
        sent = campaign.messages.filter(account__in=accounts, state__in=leaving).order_by()
        moment = Coalesce("sent_at", Value(now, DateTimeField()))
        day = TruncDate(moment, tzinfo=ZoneInfo(zone))
        days.update(dict(sent.values_list(day).annotate(count=Count("id"))))
    return days


# --- Why not now -----------------------------------------------------------------------------


def _at_rest(campaign: Campaign) -> str | None:
    """Why nothing leaves from a campaign that is not sending."""
    match campaign.state:
        case Campaign.State.DRAFT:
            return _("Not launched yet.")
        case Campaign.State.PAUSED:
            return campaign.state_reason or _("Paused. Nothing leaves until you resume it.")
        case Campaign.State.CANCELLED:
            return _("Cancelled. What had not left will never leave.")
        case Campaign.State.FINISHED:
            return _("Finished.")
        case _:
            return None


def obstacle(campaign: Campaign, now: datetime) -> tuple[Turn, GmailAccount] | None:
    """What keeps every account of a sending campaign from sending now; None when one may send."""
    obstacles = []
    accounts = list(campaign.accounts.order_by("id"))
    halted = halts.by_account(accounts)
    for account in accounts:
        entries = ledger.window(account, now)
        queues = snapshot.queues_of(account, entries, now)
        mine = [queue for queue in queues if queue.campaign_id == campaign.pk]
        if not mine:
            # What waits is bound to the campaign's other accounts.
            continue
        room = snapshot.room_of(account, entries, now, halted=account.pk in halted)
        turn = sharing.next_turn(room, mine, now)
        if turn.campaign_id is not None:
            return None
        obstacles.append((turn, account))
    # The account that will be the first to go on tells the story.
    known = [one for one in obstacles if one[0].at is not None]
    return min(known or obstacles, key=lambda one: one[0].at or now, default=None)


def _sentence(turn: Turn, account: GmailAccount, now: datetime, zone: ZoneInfo | None) -> str:
    zone = zone or ZoneInfo(account.time_zone)
    limits = ledger.limits(account)
    halt = halts.of(account)
    entries = ledger.window(account, now)
    named = {
        "address": account.address,
        "at": date_format(turn.at.astimezone(zone), "D j M, H:i") if turn.at else "",
        "used": quota.used(entries, now),
        "limit": limits.in_force(now),
        "reason": rest_words.why(account.resting_reason),
        "account_reason": account.state_reason,
        "halt_reason": halt.reason if halt else "",
    }
    sentence = _SENTENCES[turn.reason or Reason.NOTHING_WAITS]() % named
    if turn.reason is not Reason.LIMIT:
        return sentence
    more = _by_hand(ledger.by_hand(entries)), limit_words.why(limits, now, zone)
    return " ".join(filter(None, (sentence, *more)))


def _by_hand(count: int) -> str:
    if not count:
        return ""
    words = ngettext(
        "%(n)s of them was written by hand.", "%(n)s of them were written by hand.", count
    )
    return words % {"n": number_format(count)}


# Functions, so that each is translated when it is shown.
_SENTENCES = {
    Reason.NOTHING_WAITS: lambda: _("Nothing waits for %(address)s."),
    Reason.NOT_CONNECTED: lambda: _(
        "%(address)s needs reconnecting; nothing is lost meanwhile. %(account_reason)s"
    ),
    Reason.HALTED: lambda: _("%(address)s is halted; nothing is lost. %(halt_reason)s"),
    Reason.RESTING: lambda: _("%(address)s rests until %(at)s. %(reason)s"),
    Reason.LIMIT: lambda: _(
        "Resting until %(at)s: %(used)s of the %(limit)s messages in any 24 hours are used."
    ),
    Reason.NO_LIMIT: lambda: _(
        "%(address)s has nothing left for campaigns. Raise its limit, or keep less free."
    ),
    Reason.NOT_STARTED: lambda: _("Starts %(at)s."),
    Reason.OUTSIDE_HOURS: lambda: _("Outside its hours. Goes on %(at)s."),
    Reason.BETWEEN_BURSTS: lambda: _("Between two bursts. Goes on %(at)s."),
    Reason.TRY_LATER: lambda: _("Gmail asked to try again later: %(at)s."),
}


def next_recipient(campaign: Campaign) -> str | None:
    waiting = campaign.messages.filter(state=Message.State.WAITING).order_by("not_before", "id")
    return waiting.values_list("to_email", flat=True).first()


# --- Accounts --------------------------------------------------------------------------------


@dataclass(frozen=True)
class AccountUse:
    """An account's last 24 hours.

    `free_now` is what campaigns may send at this moment: nothing while the account rests, is
    halted or needs its person. `next_free_at` is when there is more; None when nobody knows.
    """

    account: GmailAccount
    limit: int
    used_24h: int
    used_by_hand_24h: int
    free_now: int
    next_free_at: datetime | None
    # What keeps it from sending now, the limit among it; None where nothing does.
    held_by: Reason | None


def account_uses(workspace: Workspace, now: datetime) -> list[AccountUse]:
    connected = visible(GmailAccount.objects.order_by("id"), workspace).exclude(
        state=GmailAccount.State.DISCONNECTED
    )
    return uses_of(connected, now)


def uses_of(accounts: Iterable[GmailAccount], now: datetime) -> list[AccountUse]:
    accounts = list(accounts)
    windows, halted = ledger.windows(accounts, now), halts.by_account(accounts)
    return [
        _account_use(account, windows[account.pk], account.pk in halted, now)
        for account in accounts
    ]


def _account_use(
    account: GmailAccount, entries: list[Entry], halted: bool, now: datetime
) -> AccountUse:
    room = snapshot.room_of(account, entries, now, halted=halted)
    opens_at, held_by = sharing.account_opens(room, now)
    return AccountUse(
        account=account,
        limit=ledger.limits(account).in_force(now),
        used_24h=quota.used(entries, now),
        used_by_hand_24h=ledger.by_hand(entries),
        free_now=max(room.free, 0) if opens_at == now else 0,
        next_free_at=opens_at,
        held_by=held_by,
    )
