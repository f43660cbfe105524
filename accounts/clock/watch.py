"""Looks whether this machine's clock can be believed, account by account, and halts where not.

The rules are in `accounts.clock.rules`; here is what they are applied to. Looking may ask the
server of the account for the time, so it is never done inside a transaction.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from accounts import halts
from accounts.clock import carrying, readings, rules, words
from accounts.clock.rules import Answer, Known, Reading, Trouble
from accounts.models import ClockCheck, GmailAccount, Halt, LedgerRow

# A machine that has not looked for so long is not there any more: its clock holds nothing up.
GONE_AFTER = timedelta(days=1)

# How soon a server that did not answer, or that disagrees, is asked again.
ASK_AGAIN = timedelta(seconds=15)

# Gmail tells its moment in what it says to an accepted message, in seconds since 1970.
_ACCEPTED_AT = re.compile(r"^250 2\.0\.0 OK +(\d{9,11}) ")


@dataclass
class Answers:
    """What the servers said in one round of looking: each is asked once."""

    _by_server: dict[bool, Answer | None] = field(default_factory=dict)

    def of(self, account: GmailAccount) -> Answer | None:
        if account.practice not in self._by_server:
            self._by_server[account.practice] = readings.ask(account)
        return self._by_server[account.practice]


class Watch:
    """The clock during one burst of an account's: in memory, until something moves."""

    def __init__(self, account: GmailAccount) -> None:
        self._account = account
        self._known: Known | None = None
        self._looked = 0.0

    def may_send(self) -> bool:
        """Whether the clock is believed now. Asked before each message; seldom needs a query."""
        reading = readings.read()
        if self._known is None or not self._still_holds(self._known, reading):
            self._known = look(self._account, Answers())
            self._looked = reading.boottime
        return is_believed(self._known)

    @property
    def holds(self) -> bool:
        """Whether the clock is believed without asking anybody: a query at most, no network."""
        reading = readings.read()
        known = self._known or _check_of(self._account).known
        if not rules.holds(known, reading):
            return False
        self._known, self._looked = known, reading.boottime
        return True

    @property
    def has_moved(self) -> bool:
        """Whether the wall clock was set since the last look: then the dot must not be given."""
        right = self._known.found_right if self._known else None
        return right is None or not rules.in_step(right, readings.read())

    def now(self) -> datetime:
        """What the wall clock shows, or would show had it not been set since the last look.

        What was claimed by the clock as it was is settled by it as well.
        """
        reading = readings.read()
        right = self._known.found_right if self._known else None
        if right is None or reading.boottime < right.boottime or rules.in_step(right, reading):
            return reading.wall
        return right.wall + timedelta(seconds=reading.boottime - right.boottime)

    def heard(self, reply: str) -> None:
        """Gmail's answer to a message says what time it has; where it differs, look again.

        It is no more than a hint: between Gmail's answer and this look the process may have slept.
        """
        said = _ACCEPTED_AT.match(reply)
        if said is None or self._known is None:
            return
        now = readings.read().wall
        answer = Answer(datetime.fromtimestamp(int(said[1]), UTC), now, now)
        if not (answer.agrees() or (self._known.ahead and answer.agrees(self._known.ahead))):
            self._known = look(self._account, Answers(), doubtful=True)

    def _still_holds(self, known: Known, reading: Reading) -> bool:
        if rules.holds(known, reading):
            return True
        # Its hour is over, and the server did not answer: not asked again before each message.
        right = known.found_right
        waited = reading.boottime - self._looked
        return (
            right is not None
            and known.doubt is None
            and rules.in_step(right, reading)
            and waited < ASK_AGAIN.total_seconds()
        )


def is_believed(known: Known) -> bool:
    return known.found_right is not None and known.doubt is None


def look_around() -> bool:
    """Look where something moved or is halted; False when no account finds the clock right.

    Then no moment should be read off it: what is due by it may not be due, and what is written by
    it would have to be put right.
    """
    reading = readings.read()
    mine = ClockCheck.objects.filter(machine=readings.machine())
    checks = list(mine.select_related("account"))
    halted = Halt.objects.filter(cause=Halt.Cause.CLOCK, ended_at=None).select_related("account")
    moved = [check.account for check in checks if not _runs_on(check.known, reading)]
    accounts = {account.pk: account for account in (*moved, *(halt.account for halt in halted))}
    answers = Answers()
    believed = {pk: is_believed(look(each, answers)) for pk, each in accounts.items()}
    if any(believed.values()) or any(check.account_id not in believed for check in checks):
        return True
    # Nobody finds it right, or nobody has asked since this machine was started.
    unseen = _first_of_each_server(checks)
    if unseen:
        return any(is_believed(look(account, answers)) for account in unseen)
    return not believed


def _first_of_each_server(but: list[ClockCheck]) -> list[GmailAccount]:
    """Accounts that may be asked by, other than those of these checks."""
    ready = GmailAccount.objects.filter(state=GmailAccount.State.READY).order_by("id")
    others = ready.exclude(pk__in=[check.account_id for check in but])
    found = [others.filter(practice=practice).first() for practice in (False, True)]
    return [account for account in found if account is not None]


def look(account: GmailAccount, answers: Answers, *, doubtful: bool = False) -> Known:
    """What is known of this machine's clock now; begins or ends the account's halt accordingly.

    `doubtful`: ask the server although nothing else gives reason to.
    """
    reading = readings.read()
    check = _check_of(account)
    if rules.holds(check.known, reading) and not doubtful:
        # Another machine may have halted it, which has come right or is there no more.
        lasting = Halt.objects.filter(account=account, cause=Halt.Cause.CLOCK, ended_at=None)
        return _note(account, reading, None) if lasting.exists() else check.known
    if not check.confirmed and _is_too_soon(check, reading):
        return check.known
    answer = answers.of(account)
    return _note(account, readings.read(), answer)


def confirm(account: GmailAccount, now: datetime) -> None:
    """A person says that the clock is right, as it was seen: its machine goes on by that.

    The machine itself finds it at its next look, a few seconds from now, and carries the ledger
    over; one that is not there any more halts nothing from now on.
    """
    with transaction.atomic():
        ClockCheck.objects.filter(account=account).exclude(trouble="").update(confirmed=True)
        halts.end([account], Halt.Cause.CLOCK, now)


def at_odds(account: GmailAccount) -> list[ClockCheck]:
    """The machines that are there, whose clock is not believed and no person has spoken for."""
    return list(_doubted(account).exclude(_is_gone()))


def gone(account: GmailAccount) -> list[ClockCheck]:
    """Those that are not there any more: they hold nothing up."""
    return list(_doubted(account).filter(_is_gone()))


def _doubted(account: GmailAccount) -> QuerySet[ClockCheck]:
    checks = ClockCheck.objects.filter(account=account, confirmed=False).exclude(trouble="")
    return checks.select_related("account").order_by("id")


def _is_gone() -> Q:
    return Q(unseen_since__isnull=False, unseen_since__lte=readings.read().wall - GONE_AFTER)


def _runs_on(known: Known, reading: Reading) -> bool:
    right = known.found_right
    return right is not None and known.doubt is None and rules.in_step(right, reading)


def _is_too_soon(check: ClockCheck, reading: Reading) -> bool:
    """Whether the server was asked a moment ago, and nothing but its answer can change anything."""
    if check.asked_boottime is None:
        return False
    waited = reading.boottime - check.asked_boottime
    if not 0 <= waited < ASK_AGAIN.total_seconds():
        return False
    known = check.known
    right = known.found_right
    in_step = right is not None and rules.in_step(right, reading)
    was_set = known.doubt is None or known.doubt.trouble is Trouble.JUMPED
    return (known.doubt is None) == in_step if was_set else True


@transaction.atomic
def _note(account: GmailAccount, reading: Reading, answer: Answer | None) -> Known:
    """Judge and write down, under the lock of the account's row: two workers look one by one."""
    account = GmailAccount.objects.select_for_update().get(pk=account.pk)
    check = _check_of(account)
    before = check.known
    said_right = check.confirmed and before.seen and rules.in_step(before.seen, reading)
    if said_right:
        then = rules.confirmed(before, reading, answer)
    else:
        then = rules.look(before, reading, answer, _newest(account))
    check.known = then
    check.confirmed = False
    check.unseen_since = None
    if answer is not None:
        check.theirs_at, check.ours_at = answer.theirs, answer.answered
    if answer is not None or not rules.holds(then, reading):
        check.asked_boottime = reading.boottime
    check.save()
    ClockCheck.objects.filter(account=account, host=check.host).exclude(pk=check.pk).delete()
    if then.doubt is not None:
        _halt(check, before, reading.wall)
        return then
    by = rules.carry(before, then)
    if by or then.ahead != before.ahead or (said_right and answer is None):
        _count_by(check, then)
    if by or not is_believed(before):
        carrying.carry(account, by, reading.wall)
    _miss_others(check, reading.wall)
    if not at_odds(account):
        halts.end([account], Halt.Cause.CLOCK, reading.wall)
    return then


def _count_by(check: ClockCheck, then: Known) -> None:
    """The account counts by this clock now: any other machine must show anew that its own agrees.

    Whoever is sending by another one notices at its next claim, since the account is taken away.
    """
    GmailAccount.objects.filter(pk=check.account_id).update(
        clock_ahead=None if then.ahead is None else then.ahead.total_seconds(),
        burst_holder="",
        burst_until=None,
    )
    _others(check).update(right_at=None, right_boottime=None)


def _miss_others(check: ClockCheck, now: datetime) -> None:
    """Count from now on how long the machines at odds do not look; each look ends it."""
    ahead = Q(unseen_since__gt=now)
    doubted = _others(check).exclude(trouble="")
    doubted.filter(Q(unseen_since=None) | ahead).update(unseen_since=now)


def _halt(check: ClockCheck, before: Known, now: datetime) -> None:
    """For the reason as it is now: an older one ends where it is another."""
    if before.doubt is not None and before.doubt.trouble != check.trouble:
        halts.end([check.account], Halt.Cause.CLOCK, now)
    right = _others(check).filter(trouble="", right_at__isnull=False)
    reason = words.reason(check, list(right.order_by("id").values_list("host", flat=True)))
    halts.begin([check.account], Halt.Cause.CLOCK, reason, now)


def _check_of(account: GmailAccount) -> ClockCheck:
    """The row of this machine and boot, with what is accepted for the account."""
    machine, host = readings.machine(), readings.host()
    checks = ClockCheck.objects.select_related("account")
    found = checks.filter(account=account, machine=machine).first()
    return found or ClockCheck(account=account, machine=machine, host=host)


def _others(check: ClockCheck) -> QuerySet[ClockCheck]:
    return ClockCheck.objects.filter(account=check.account_id).exclude(pk=check.pk)


def _newest(account: GmailAccount) -> datetime | None:
    """When the newest row of the ledger was reserved; mail by hand has moments of Gmail's."""
    ours = LedgerRow.objects.filter(account=account).exclude(source=LedgerRow.Source.BY_HAND)
    return ours.order_by("-id").values_list("reserved_at", flat=True).first()
