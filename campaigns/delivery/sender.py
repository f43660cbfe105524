"""The one exit: a burst of messages through one account, over one session.

A handful is claimed at once, and sent one by one; what was claimed and is not sent waits again.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import generation, rest_words, standing
from accounts.clock.watch import Watch
from accounts.models import GmailAccount
from accounts.vault import VaultError
from campaigns import states
from campaigns.delivery import lists_left, outcomes
from campaigns.delivery.claim import (
    HANDFUL,
    HANDFUL_LASTS,
    Claim,
    LeaseLost,
    SentUnread,
    claim_next,
    first_of,
    release_account,
    suppressed,
    take_account,
)
from campaigns.delivery.compose import Composer, ContentBroken, NotWritable
from campaigns.delivery.deadline import Deadline
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.delivery.line import Line
from campaigns.delivery.read_sent import read_sent
from campaigns.delivery.suppression_words import why_skipped
from campaigns.models import Message
from campaigns.planning.sharing import Reason, Turn
from gmail.errors import (
    AuthRefused,
    ConnectionLost,
    FateUnknown,
    GmailError,
    GrantRevoked,
    Refused,
    Temporary,
)
from gmail.replies import Meaning, Phase

M = Message.State

# From the claim to the dot. Shorter than the claim itself, so that it is never taken back from a
# worker that is still allowed to give the dot.
TIME_TO_DOT = timedelta(minutes=4)

# An account of which nothing may leave for long is looked at again so soon all the same: what
# changes that, a higher limit for one, need not tell anybody.
LOOK_AGAIN = timedelta(minutes=1)

# How long a burst waits, session open, for the limit to free the next message.
PATIENCE = timedelta(seconds=3)

# Seconds between the tries to note that Gmail accepted, while the database is away.
PAUSES = (1, 5, 15)


@dataclass
class Tally:
    """What became of the messages of a run."""

    sent: int = 0
    refused: int = 0
    put_back: int = 0
    in_doubt: int = 0
    skipped: int = 0

    def add(self, other: "Tally") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def send_due(account_id: int, keep_going: Callable[[], bool] = lambda: True) -> Tally:
    """Send what may leave through the account now; nothing when somebody else is at it.

    `keep_going` is asked before each message, so that a worker can stop between two.
    """
    # Before the account is taken: until when it is ours is written down by the clock.
    watch = Watch(GmailAccount.objects.get(pk=account_id))
    holder = uuid.uuid4().hex
    if not watch.may_send() or not take_account(account_id, holder, timezone.now()):
        return Tally()
    return _send(account_id, holder, watch, keep_going)


def send_first(line: QuerySet[GmailAccount], keep_going: Callable[[], bool]) -> Tally | None:
    """The same for the first account of `line` at which nobody else is; None without one."""
    holder = uuid.uuid4().hex
    with transaction.atomic():
        account = first_of(line)
        if account is None:
            return None
        watch = Watch(account)
        # Here too the clock comes first; where its server must be asked, outside of this.
        taken = watch.holds and take_account(account.pk, holder, timezone.now())
    if not taken:
        return send_due(account.pk, keep_going)
    try:
        return _send(account.pk, holder, watch, keep_going)
    finally:
        # Nothing, but after an error before the burst began.
        release_account(account.pk, holder)


def _send(account_id: int, holder: str, watch: Watch, keep_going: Callable[[], bool]) -> Tally:
    generation.look(timezone.now())
    burst = Burst(account_id, holder, watch)
    try:
        burst.run(keep_going)
        burst.line.close()
    finally:
        # After an error: no polite QUIT, which could stand in the middle of a message.
        burst.line.drop()
        release_account(account_id, holder, burst.next_turn_at)
    return burst.tally


class Burst:
    """Claims and sends one message after the other, as long as the rule says so."""

    def __init__(self, account_id: int, holder: str, clock: Watch) -> None:
        self.account = GmailAccount.objects.select_related("workspace").get(pk=account_id)
        self.holder = holder
        self.clock = clock
        self.composer = Composer(self.account)
        self.line = Line(self.account)
        self.campaigns: set[int] = set()
        # Claimed at once and not begun yet: until when it may be, and may be given its end.
        self.hand: list[Claim] = []
        self.good_until = clock.now()
        self.deadline = Deadline(TIME_TO_DOT)
        self.tally = Tally()
        self.well = False
        # Why nothing more may leave, once that is known.
        self.over: Turn | None = None

    @property
    def next_turn_at(self) -> datetime:
        """When to look at the account again: behind all who wait now, or when more may leave."""
        now = self.clock.now()
        if self.over is None:
            return now
        return min(self.over.at or now + LOOK_AGAIN, now + LOOK_AGAIN)

    def run(self, keep_going: Callable[[], bool]) -> None:
        try:
            while keep_going() and self.clock.may_send():
                claim = self._next()
                if isinstance(claim, Claim):
                    self._send(claim)
                elif claim is not None and not self._worth_waiting(claim):
                    self.over = claim
                    break
        except LeaseLost:
            # Somebody else carries on; what was ours is settled or taken back.
            pass
        finally:
            self._give_back()
        if self.campaigns:
            states.finish_done(self.clock.now(), *self.campaigns)

    def _next(self) -> Claim | Turn | None:
        """What leaves next; None when Sent was read instead, because that was due."""
        now = self.clock.now()
        if now >= self.good_until:
            self._give_back()
        if not self.hand:
            try:
                found = claim_next(self.account.pk, self.holder, now, HANDFUL)
            except SentUnread:
                read_sent(self.account.pk, now)
                return None
            if isinstance(found, Turn):
                return found
            self.hand, self.good_until = found, now + HANDFUL_LASTS
            self.deadline = Deadline(TIME_TO_DOT)
        return self.hand.pop(0)

    def _give_back(self) -> None:
        """What is still in hand waits again."""
        claims, self.hand = self.hand, []
        outcomes.give_back(claims)

    def _worth_waiting(self, turn: Turn) -> bool:
        """Wait for the next use to age, when it is a matter of moments.

        A full window frees one message at a time, as fast as they left a day before: one session
        carries them all, where ending the burst would mean a log-in for each.
        """
        wait = (turn.at - self.clock.now()).total_seconds() if turn.at else None
        if turn.reason is not Reason.LIMIT or wait is None or wait > PATIENCE.total_seconds():
            return False
        time.sleep(max(wait, 0))
        return True

    def _send(self, claim: Claim) -> None:
        done = self.tally.sent + self.tally.skipped
        self._try(claim)
        if self.tally.sent + self.tally.skipped == done:
            # What else is in hand may fare the same: whether it may leave at all is asked anew.
            self._give_back()

    def _try(self, claim: Claim) -> None:
        message = claim.message
        if message.campaign_id is not None:
            self.campaigns.add(message.campaign_id)
        raw = self._write(claim, message)
        if raw is None:
            return
        if not self._give(claim, message, raw):
            return
        number = None
        if self._in_time():
            number = commit_handing_over(claim, raw, self.clock.now())
        if number is None:
            self._stop_before_dot(claim)
            return
        if not self._remember(claim, number):
            return
        if not self._in_time():
            # Slept since the commit. The dot was not given: certainly not accepted.
            self._break_off(claim, M.HANDING_OVER, "")
            return
        self._finish(claim)

    def _in_time(self) -> bool:
        """Neither slept for too long since the claim, nor was the clock set, by which it counts."""
        return not self.deadline.passed and not self.clock.has_moved

    def _write(self, claim: Claim, message: Message) -> bytes | None:
        """The finished bytes; None when there is nothing to send after all."""
        try:
            if claim.suppressed:
                raise NotWritable(why_skipped(message, self.clock.now()))
            if claim.left:
                raise NotWritable(lists_left.words())
            return self.composer.compose(message, self.clock.now())
        except NotWritable as error:
            self._skip(claim, str(error))
        except ContentBroken as error:
            self._put_back(claim, M.CLAIMED, "")
            outcomes.pause_campaign(claim, str(error))
        return None

    def _give(self, claim: Claim, message: Message, raw: bytes) -> bool:
        """The message but for its end; False when Gmail did not want it, or could not be had."""
        try:
            self.line.give(self.account.address, message.to_email, raw)
        except Refused as error:
            self._not_accepted(claim, M.CLAIMED, error)
        except (AuthRefused, GrantRevoked) as error:
            # `sessions` has noted that the person must connect the account again.
            self._break_off(claim, M.CLAIMED, str(error))
        except ConnectionLost as error:
            if error.phase in outcomes.KNOWS_OF_MESSAGE:
                self._lost_with(claim, M.CLAIMED, error)
            else:
                self._no_line(claim, error)
        except (GmailError, VaultError) as error:
            self._no_line(claim, error)
        else:
            return True
        return False

    def _remember(self, claim: Claim, number: int) -> bool:
        """What is not written beside the database must not leave: a copy would send it again."""
        try:
            generation.remember(number)
        except OSError as error:
            why = _(
                "The data folder cannot be written to (%(reason)s). See that the disk is not full "
                "and that Daypost may write there; it tries again by itself."
            ) % {"reason": error.strerror}
            self._break_off(claim, M.HANDING_OVER, why)
            standing.back_off(self.account.pk, why, self.clock.now())
            return False
        return True

    def _finish(self, claim: Claim) -> None:
        try:
            reply = self.line.finish()
        except FateUnknown as error:
            self._doubt(claim, error)
            return
        except ConnectionLost as error:
            self._lost_at_dot(claim, error)
            return
        if reply.code // 100 == 2:
            self._note_sent(claim, str(reply), self.clock.now())
            self.tally.sent += 1
            self._note_well()
            self.clock.heard(str(reply))
        else:
            self._not_accepted(claim, M.HANDING_OVER, Refused(reply, Phase.DOT))

    def _note_sent(self, claim: Claim, reply: str, at: datetime) -> None:
        """Write Gmail's word down, and not give up at once: without it the message is in doubt.

        Safe to repeat: the move is conditional, and only what is still handing over makes it.
        """
        for pause in PAUSES:
            try:
                return outcomes.sent(claim, reply, at)
            except OperationalError:
                connection.close()
                time.sleep(pause)
        return outcomes.sent(claim, reply, at)

    def _note_well(self) -> None:
        """Whatever was wrong before is over with the first message that goes through."""
        if not self.well:
            standing.well_again(self.account.pk, self.clock.now())
            self.well = True

    def _not_accepted(self, claim: Claim, source: M, error: Refused) -> None:
        what = outcomes.not_accepted(claim, source, error.reply, error.phase, self.clock.now())
        self._count(what)

    def _count(self, came_down_on: Meaning) -> None:
        if came_down_on is Meaning.RECIPIENT:
            self.tally.refused += 1
        else:
            self.tally.put_back += 1

    def _doubt(self, claim: Claim, error: FateUnknown) -> None:
        self.line.drop()
        outcomes.in_doubt(claim, str(error), self.clock.now())
        self.tally.in_doubt += 1
        self._back_off(error)

    def _lost_at_dot(self, claim: Claim, error: ConnectionLost) -> None:
        """Certainly not accepted: it leaves over the next session, at once if that may be."""
        if self.line.may_replace:
            self._break_off(claim, M.HANDING_OVER, str(error))
        else:
            self._lost_with(claim, M.HANDING_OVER, error)

    def _lost_with(self, claim: Claim, source: M, error: ConnectionLost) -> None:
        """The line broke over this message, certainly not accepted."""
        self.line.drop()
        reason, now = rest_words.reason_of(error), self.clock.now()
        self._count(outcomes.tried_in_vain(claim, source, str(error), reason, now))

    def _no_line(self, claim: Claim, error: GmailError | VaultError) -> None:
        """The message is innocent; the account tries again a little later."""
        said = error.said if isinstance(error, Temporary) else str(error)
        self._break_off(claim, M.CLAIMED, said)
        self._back_off(error)

    def _back_off(self, error: GmailError | VaultError) -> None:
        standing.back_off(self.account.pk, rest_words.reason_of(error), self.clock.now())

    def _break_off(self, claim: Claim, source: M, why: str) -> None:
        """Leave the server without the end of the message, which waits again."""
        self.line.drop()
        self._put_back(claim, source, why)

    def _put_back(self, claim: Claim, source: M, why: str) -> None:
        outcomes.put_back(claim, source, why, self.clock.now())
        self.tally.put_back += 1

    def _stop_before_dot(self, claim: Claim) -> None:
        """Paused, cancelled, suppressed, or too late: the server never sees the end."""
        if suppressed([claim.message]):
            self.line.drop()
            self._skip(claim, why_skipped(claim.message, self.clock.now()))
        elif lists_left.left([claim.message]):
            self.line.drop()
            self._skip(claim, lists_left.words())
        else:
            self._break_off(claim, M.CLAIMED, "")

    def _skip(self, claim: Claim, why: str) -> None:
        outcomes.skipped(claim, why)
        self.tally.skipped += 1
