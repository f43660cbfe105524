"""What the worker and beat of an instance do, without Celery: every periodic task, one after the
other, in this process.
"""

from datetime import datetime, timedelta

from django.db import close_old_connections, connection
from django.db.models import Min
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns.delivery import sender
from campaigns.models import Campaign, Message
from config.celery import app
from gmail.smtp import SmtpSession
from tests.torture import reading
from tests.torture.stage import Stage

# What has to do with sending; imports and the doctor have their own tests.
LEFT_ALONE = {"campaigns.tasks.resume_imports", "campaigns.tasks.resume_check_ups"}
DAY = timedelta(hours=24)
# Beyond this, what moves at all has moved. Longer than a message may be put off, twelve times.
LONGEST = timedelta(days=30)
LONGEST_STEP = timedelta(hours=6)
# An account reads, looks and asks again in minutes.
SHORTEST_STEP = timedelta(seconds=1)


def get_ready() -> None:
    """Once, before anything is forked: load what every worker needs, and do tasks at once."""
    app.loader.import_default_modules()
    app.conf.task_always_eager = True


def hurry(smtp_timeout: float = 5, database_timeout: float = 5) -> None:
    """Wait for seconds at the most where an instance waits for minutes."""
    sender.PAUSES = (0, 0, 0)
    sender.PATIENCE = timedelta()
    SmtpSession.open.__func__.__kwdefaults__["timeout"] = smtp_timeout
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = database_timeout


def one_pass() -> None:
    """As one tick of beat would, with a worker that does at once what it is told."""
    close_old_connections()
    for entry in app.conf.beat_schedule.values():
        if entry["task"] not in LEFT_ALONE:
            app.tasks[entry["task"]].apply()


def until_calm(stage: Stage) -> set[int]:
    """Go on, with no faults any more, until nothing is left that moves by itself.

    Returns the ids of the messages that were in doubt on the way. In bounded time: what has not
    come to rest after `LONGEST` is stuck, and the checker will find it.
    """
    doubted = reading.in_doubt()
    give_up = timezone.now() + LONGEST
    while timezone.now() < give_up:
        one_pass()
        doubted |= reading.in_doubt()
        moment = _next_moment()
        if moment is None:
            return doubted
        wait = moment - timezone.now() + timedelta(milliseconds=1)
        stage.advance(min(max(wait, SHORTEST_STEP), LONGEST_STEP))
    return doubted


def _next_moment() -> datetime | None:
    """When anything may happen next, as the tables tell; None when all is over."""
    now = timezone.now()
    campaigns = Campaign.objects.exclude(state__in=("finished", "cancelled"))
    messages = Message.objects.filter(state__in=("waiting", "claimed", "handing_over"))
    if not campaigns.exists() and not messages.exists():
        return None
    ends = [
        *GmailAccount.objects.values_list("resting_until", "burst_until"),
        *Message.objects.filter(state="waiting").values_list("not_before"),
        *Message.objects.values_list("claim_until"),
        *((at + DAY + timedelta(seconds=1),) for at in _counting(now)),
    ]
    ahead = [moment for row in ends for moment in row if moment is not None and moment > now]
    return min(ahead, default=now + LONGEST_STEP)


def _counting(now: datetime) -> list[datetime]:
    """The oldest use of each account that still counts."""
    rows = LedgerRow.objects.filter(state__in=("accepted", "unknown"), at__gt=now - DAY)
    oldest = rows.values("account").annotate(oldest=Min("at"))
    return list(oldest.values_list("oldest", flat=True))
