"""Gmail as the machines need it: it accepts, remembers and counts by its own rule, and so judges.

It knows nothing of Daypost's tables. Of Daypost it is told one thing: each claim and the limit that
was in force at it, since that is the moment at which the limit is looked at.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from campaigns.delivery.claim import Claim
from gmail.replies import Phase, Reply

WINDOW = timedelta(hours=24)

ACCEPTED = Reply(250, "OK 1761300000 abc - gsmtp", "2.0.0")
LIMIT = Reply(550, "Daily user sending limit exceeded.", "5.4.5")
LATER = Reply(421, "Try again later.", "4.7.0")
NOT_THIS_ONE = Reply(550, "No such user.", "5.1.1")
NOT_THIS_CONTENT = Reply(552, "This message was blocked.", "5.7.0")

NO_TO_THE_DOT = (LIMIT, LATER, NOT_THIS_ONE, NOT_THIS_CONTENT)
NO_BEFORE_THE_DOT = (
    (LIMIT, Phase.DATA),
    (LATER, Phase.DATA),
    (NOT_THIS_ONE, Phase.RCPT),
    (Reply(450, "Mailbox busy.", "4.2.1"), Phase.RCPT),
    (NOT_THIS_CONTENT, Phase.DATA),
    (Reply(550, "Sender not allowed.", "5.7.1"), Phase.MAIL),
    (Reply(535, "Username and Password not accepted.", "5.7.8"), Phase.AUTH),
)


@dataclass(frozen=True)
class Use:
    """`number` counts claims and mails by hand in the order in which Daypost knew of them.

    `limit`: in force at the claim; None for mail by hand, which asks no limit.
    """

    at: datetime
    number: int
    recipients: int = 1
    limit: int | None = None


@dataclass
class Mailbox:
    """`refuses_above`: Gmail's own limit, which may be lower than anybody knows."""

    refuses_above: int = 10_000
    uses: list[Use] = field(default_factory=list)

    def counted(self, now: datetime) -> int:
        """Recipients in the 24 hours that end now, by whole seconds, as Gmail stamps them."""
        return sum(use.recipients for use in self.uses if use.at > now - WINDOW)

    def add(self, use: Use) -> None:
        self.uses.append(use)
        assert self._fits(use.at), "over the limit"

    def _fits(self, now: datetime) -> bool:
        """What counts now fits under the limit of the newest claim behind it.

        Mail by hand that was written after that claim was nobody's to know.
        """
        window = [use for use in self.uses if use.at > now - WINDOW]
        newest = max((use for use in window if use.limit), key=_number, default=None)
        if newest is None or newest.limit is None:
            return True
        known = [use for use in window if use.limit or use.number < newest.number]
        return sum(use.recipients for use in known) <= newest.limit


def _number(use: Use) -> int:
    return use.number


@dataclass(frozen=True)
class Flight:
    """A dot that is on its way: Gmail may take it until `lost_at`, whoever still listens."""

    claim: Claim
    raw: bytes
    lost_at: datetime


class Gmail:
    """The mailboxes by the id of their account, and what became of each message."""

    def __init__(self) -> None:
        self.mailboxes: dict[int, Mailbox] = defaultdict(Mailbox)
        self.accepted = Counter[int]()
        self.flights: list[Flight] = []
        self._claims: dict[str, tuple[int, int]] = {}
        self._bytes: dict[int, bytes] = {}
        self._number = count(1)

    def hears_of_claim(self, claim: Claim, limit: int) -> None:
        self._claims[claim.holder] = next(self._number), limit

    def takes(self, claim: Claim, raw: bytes, now: datetime) -> Reply:
        """The answer to a dot."""
        mailbox = self.mailboxes[claim.account_id]
        if mailbox.counted(now) >= mailbox.refuses_above:
            return LIMIT
        number, limit = self._claims[claim.holder]
        mailbox.add(Use(now.replace(microsecond=0), number, limit=limit))
        self.accepted[claim.message_id] += 1
        assert self._bytes.setdefault(claim.message_id, raw) == raw, "sent again, in other bytes"
        return ACCEPTED

    def may_still_take(self, message: int, now: datetime) -> bool:
        mine = (flight for flight in self.flights if flight.claim.message_id == message)
        return any(now <= flight.lost_at for flight in mine)

    def takes_by_hand(self, account: int, recipients: int, now: datetime) -> None:
        at = now.replace(microsecond=0)
        self.mailboxes[account].uses.append(Use(at, next(self._number), recipients))
