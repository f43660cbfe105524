"""A worker that goes from claim to answer one step at a time, in the order of `delivery.sender`.

Between two steps anything may happen: that is what it is for. `now` is passed down, and there is no
socket: `Mailbox` stands for Gmail.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from accounts import standing
from campaigns.delivery import outcomes
from campaigns.delivery.claim import Claim, release_account, suppressed
from campaigns.delivery.handing_over import commit_handing_over
from campaigns.delivery.sender import TIME_TO_DOT
from campaigns.models import Message
from campaigns.planning.sharing import Turn
from gmail.replies import Phase, Reply
from tests.campaigns.claiming import claim_next

M = Message.State


class Step(Enum):
    IDLE = "idle"
    CLAIMED = "claimed"
    HANDING_OVER = "handing over"
    DOT_GIVEN = "the dot is given"
    ANSWERED = "answered"


@dataclass(eq=False)
class Worker:
    account_id: int
    holder: str
    step: Step = Step.IDLE
    claim: Claim | None = None
    deadline: datetime | None = None
    reply: Reply | None = None
    raw: bytes = b""

    @property
    def its(self) -> Claim:
        assert self.claim is not None
        return self.claim

    def take(self, now: datetime) -> Claim | Turn:
        claim = claim_next(self.account_id, self.holder, now)
        if isinstance(claim, Claim):
            self.claim, self.deadline, self.step = claim, now + TIME_TO_DOT, Step.CLAIMED
        return claim

    def hear_no(self, reply: Reply, phase: Phase, now: datetime) -> None:
        """Gmail refuses before the dot."""
        outcomes.not_accepted(self.its, M.CLAIMED, reply, phase, now)
        self.step = Step.IDLE

    def lose_line(self, now: datetime) -> None:
        """The line breaks before the dot, once Gmail knew of the message."""
        outcomes.tried_in_vain(self.its, M.CLAIMED, "The line broke.", "The line broke.", now)
        self.step = Step.IDLE

    def hand_over(self, now: datetime) -> bool:
        """The last look; True when the dot may be given."""
        self.raw = self._written()
        if not self.is_late(now) and commit_handing_over(self.its, self.raw, now):
            self.step = Step.HANDING_OVER
            return True
        if suppressed([self.its.message]):
            outcomes.skipped(self.its, "suppressed")
        else:
            outcomes.put_back(self.its, M.CLAIMED, "", now)
        self.step = Step.IDLE
        return False

    def give_dot(self, now: datetime) -> bool:
        """False when it slept since the last look, and notices."""
        if self.is_late(now):
            outcomes.put_back(self.its, M.HANDING_OVER, "", now)
            self.step = Step.IDLE
            return False
        self.step = Step.DOT_GIVEN
        return True

    def answered(self, reply: Reply) -> None:
        self.reply, self.step = reply, Step.ANSWERED

    def note_answer(self, now: datetime) -> None:
        assert self.reply is not None
        if self.reply.code == 250:
            outcomes.sent(self.its, str(self.reply), now)
            standing.well_again(self.account_id, now)
        else:
            outcomes.not_accepted(self.its, M.HANDING_OVER, self.reply, Phase.DOT, now)
        self.step = Step.IDLE

    def lose_answer(self, now: datetime) -> None:
        """The line breaks after the dot."""
        outcomes.in_doubt(self.its, "The line broke.", now)
        standing.back_off(self.account_id, "The line broke.", now)
        self.step = Step.IDLE

    def stop(self) -> None:
        release_account(self.account_id, self.holder)

    def _written(self) -> bytes:
        """As `compose` does it: other bytes for every claim, unless some are kept."""
        kept = Message.objects.values_list("raw", flat=True).get(pk=self.its.message_id)
        return self.its.holder.encode() if kept is None else bytes(kept)

    def is_late(self, now: datetime) -> bool:
        assert self.deadline is not None
        return now >= self.deadline
