"""What the worker and beat of an instance do, without Celery: every periodic task, one after the
other, in this process.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db import close_old_connections, connection
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from accounts import connect, sealed, sleepers
from accounts.clock import readings
from accounts.models import GmailAccount, Halt, LedgerRow
from campaigns import control
from campaigns.delivery import sender
from campaigns.models import Campaign, Message
from config.celery import app
from gmail.smtp import SmtpSession
from tests.torture import reading
from tests.torture.clock import Clock

if TYPE_CHECKING:
    from tests.torture.stage import Stage

# What has to do with sending; imports and the doctor have their own tests.
LEFT_ALONE = {"campaigns.tasks.resume_imports", "campaigns.tasks.resume_check_ups"}
DAY = timedelta(hours=24)
# Beyond this, what moves at all has moved. Longer than a message may be put off, twelve times.
LONGEST = timedelta(days=30)
# A use of the limit counts for a day, and for a little longer, since clocks differ.
AGED = DAY + timedelta(seconds=150)
# What happens one after the other within so long is waited for at once.
A_LITTLE = timedelta(seconds=30)
# How often it is looked whether a halt is over.
WHILE_HALTED = timedelta(minutes=5)
# So many passes belong to one in which old rows are tidied away.
TIDIED_AT = 8


def get_ready(clock: Clock) -> None:
    """Once, before anything is forked: load what every worker needs, and do tasks at once."""
    app.loader.import_default_modules()
    app.conf.task_always_eager = True
    clock.tell(readings)


def hurry(smtp_timeout: float = 5, database_timeout: float = 5) -> None:
    """Wait for seconds at the most where an instance waits for minutes."""
    sender.PAUSES = (0, 0, 0)
    sender.PATIENCE = timedelta()
    SmtpSession.open.__func__.__kwdefaults__["timeout"] = smtp_timeout
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = database_timeout
    sleepers.LONGEST_SECONDS = database_timeout


def asks_sent() -> bool:
    """Whether doubt is resolved by a periodic task."""
    return "campaigns.tasks.resolve_doubts" in app.tasks


def one_pass(but: Collection[str] = ()) -> None:
    """As one tick of beat would, with a worker that does at once what it is told."""
    close_old_connections()
    for entry in app.conf.beat_schedule.values():
        if entry["task"] not in (*LEFT_ALONE, *but):
            app.tasks[entry["task"]].apply()


def as_person() -> None:
    """What only a person can do: connect again, resume."""
    for account in GmailAccount.objects.filter(state=GmailAccount.State.NEEDS_RECONNECTING):
        secret = sealed.ACCOUNT_SECRET.open(account)
        connect.connect_by_app_password(
            account.workspace, account.address, secret, practice=True, account=account
        )
    for campaign in Campaign.objects.filter(state=Campaign.State.PAUSED):
        control.resume(campaign.pk)


def until_calm(stage: "Stage") -> set[int]:
    """Go on, with no faults any more, until nothing is left that moves by itself.

    Returns the ids of the messages that were in doubt on the way. In bounded time: what has not
    come to rest after `LONGEST` is stuck, and the checker will find it.
    """
    doubted = reading.in_doubt()
    give_up = timezone.now() + LONGEST
    passes = count()
    while timezone.now() < give_up:
        one_pass(but=() if next(passes) % TIDIED_AT == 0 else {"campaigns.tasks.tidy"})
        doubted |= reading.in_doubt()
        moment = _next_moment()
        if moment is None:
            return doubted
        stage.advance(max(moment - timezone.now(), timedelta()) + A_LITTLE)
    return doubted


def _next_moment() -> datetime | None:
    """When anything may happen next, as the tables tell; None when all is over."""
    now = timezone.now()
    campaigns = Campaign.objects.exclude(state__in=("finished", "cancelled"))
    messages = Message.objects.filter(state__in=("waiting", "claimed", "handing_over"))
    # What is in doubt is asked for in Sent, until a person is to end it.
    asked_for = Message.objects.filter(state="in_doubt").exclude(look_again_at=None)
    asked_for = asked_for.filter(Q(held_at=None) | Q(look_again_at__gt=now)) if asks_sent() else ()
    if not campaigns.exists() and not messages.exists() and not list(asked_for):
        return None
    if Halt.objects.filter(ended_at=None).exists():
        return now + WHILE_HALTED
    ends = [
        *GmailAccount.objects.values_list("resting_until", "burst_until"),
        *Message.objects.filter(state="waiting").values_list("not_before"),
        *Message.objects.values_list("claim_until"),
        *((one.look_again_at,) for one in asked_for),
        *((at + AGED,) for at in _counting(now)),
    ]
    ahead = [moment for row in ends for moment in row if moment is not None and moment > now]
    return min([*ahead, *_openings(campaigns, now), now + DAY])


def _openings(campaigns: QuerySet[Campaign], now: datetime) -> list[datetime]:
    """When the hours of campaigns begin next, in each of their accounts' zones."""
    hours = campaigns.exclude(hours_from=None).values_list("hours_from", "accounts__time_zone")
    openings = [
        datetime.combine(now.astimezone(ZoneInfo(zone)).date() + days * DAY, start, ZoneInfo(zone))
        for start, zone in hours
        for days in (0, 1)
    ]
    return [opening for opening in openings if opening > now]


def _counting(now: datetime) -> list[datetime]:
    """The oldest use of each account that still counts."""
    rows = LedgerRow.objects.filter(state__in=("accepted", "unknown"), at__gt=now - AGED)
    oldest = rows.values("account").annotate(oldest=Min("at"))
    return list(oldest.values_list("oldest", flat=True))
