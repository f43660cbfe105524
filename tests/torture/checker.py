"""Judges a run: what the practice Gmail wrote down itself, crossed with what our database says.

Nothing of the product is asked. `judge` is pure, so that doctored ledgers can be put before it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
# Mail written by hand is read from Sent at least so often while sending goes on.
READ_BY_HAND_EVERY = timedelta(minutes=10)
# IMAP dates what lies in Sent by whole seconds.
RESOLUTION = timedelta(seconds=1)
MOST_ATTEMPTS = 12
STATES = {
    *("waiting", "claimed", "handing_over", "sent"),
    *("refused", "in_doubt", "skipped", "cancelled"),
}
# What the use of the limit must say, by the message's state; None is no use at all.
ROW_OF_STATE: dict[str, set[str | None]] = {
    "sent": {"accepted"},
    "in_doubt": {"unknown"},
    **{state: {"void", None} for state in ("waiting", "refused", "skipped", "cancelled")},
    "claimed": {"reserved"},
    "handing_over": {"reserved"},
}


@dataclass(frozen=True)
class Accepted:
    """A line of the practice Gmail's ledger."""

    at: datetime
    account: str
    recipients: int
    message_id: str
    to: str


@dataclass(frozen=True)
class OurMessage:
    id: int
    campaign: int | None
    to: str
    message_id: str
    state: str
    attempts: int = 0
    row: int | None = None
    handed_over_at: datetime | None = None
    # Whether it was known from Sent that Gmail has it.
    found: bool = False


@dataclass(frozen=True)
class OurRow:
    id: int
    account: str
    source: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class OurAccount:
    """`finds_copies`: a doubt of its messages must be settled once the copy lies in Sent."""

    address: str
    limit: int
    finds_copies: bool = False


@dataclass(frozen=True)
class Ours:
    messages: list[OurMessage]
    rows: list[OurRow]
    accounts: list[OurAccount]
    # By its id, the state of each campaign.
    campaigns: dict[int, str]


@dataclass(frozen=True)
class Expected:
    """What the runner asked for: who is to be written to, and what became of that meanwhile."""

    recipients: set[tuple[int | None, str]]
    suppressed: set[str] = field(default_factory=set)
    # By whose opt-out stood at which moment at the latest.
    opted_out: dict[str, datetime] = field(default_factory=dict)
    # Whom a person let go once more out of doubt: the first use of the limit stays unknown.
    sent_again: set[str] = field(default_factory=set)
    # Whether the wall clock was wrong for a time: then moments in our ledger may be, too.
    clock_was_wrong: bool = False


@dataclass
class Verdict:
    messages: int = 0
    duplicates: int = 0
    lost: int = 0
    over_limit: int = 0
    stuck: int = 0
    disagreements: int = 0
    in_doubt_resolved: int = 0
    in_doubt_held: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def red(self) -> bool:
        return bool(self.problems)

    def note(self, count: str, problem: str) -> None:
        setattr(self, count, getattr(self, count) + 1)
        self.problems.append(f"{count.replace('_', ' ')}: {problem}")

    def add(self, other: "Verdict") -> None:
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)


def judge(
    accepted: list[Accepted],
    refused: Iterable[str],
    ours: Ours,
    expected: Expected,
    doubted: Iterable[int] = (),
) -> Verdict:
    """After the faults have ended and everything has come to rest.

    `refused` are the addresses that the practice Gmail has ever refused, `doubted` the ids of
    messages that were seen in doubt on the way.
    """
    verdict = Verdict(messages=len(ours.messages))
    _nobody_twice(verdict, accepted, ours)
    _everybody_once_in_one_state(verdict, ours, expected)
    refused_there = {address.lower() for address in refused}
    for message in ours.messages:
        _state_is_what_happened(verdict, message, accepted, refused_there, ours, expected)
    _never_over_the_limit(verdict, accepted, ours)
    _ledger_agrees(verdict, accepted, ours, expected)
    for campaign, state in ours.campaigns.items():
        if state not in ("finished", "cancelled"):
            verdict.note("stuck", f"campaign {campaign} is still {state}")
    was_in_doubt = set(doubted)
    verdict.in_doubt_held = sum(one.state == "in_doubt" for one in ours.messages)
    verdict.in_doubt_resolved = sum(
        one.state == "sent" for one in ours.messages if one.id in was_in_doubt
    )
    return verdict


def _nobody_twice(verdict: Verdict, accepted: list[Accepted], ours: Ours) -> None:
    for message_id, count in Counter(one.message_id for one in accepted).items():
        if count > 1:
            verdict.note("duplicates", f"{message_id} was accepted {count} times")
    campaign_of = {one.message_id: one.campaign for one in ours.messages}
    people = {(one.message_id, one.to.lower()) for one in accepted if one.message_id in campaign_of}
    served = Counter((campaign_of[message_id], to) for message_id, to in people)
    for (campaign, to), count in served.items():
        if campaign is not None and count > 1:
            verdict.note("duplicates", f"{to} was written to {count} times by one campaign")


def _everybody_once_in_one_state(verdict: Verdict, ours: Ours, expected: Expected) -> None:
    there = Counter((one.campaign, one.to.lower()) for one in ours.messages)
    for who in expected.recipients:
        if there[who] != 1:
            verdict.note("lost", f"{who[1]} of campaign {who[0]} has {there[who]} messages")
    for message in ours.messages:
        if message.state not in STATES:
            verdict.note("lost", f"{message.to} is in no state that has a name: {message.state}")


def _state_is_what_happened(
    verdict: Verdict,
    message: OurMessage,
    accepted: list[Accepted],
    refused_there: set[str],
    ours: Ours,
    expected: Expected,
) -> None:
    there = next((one for one in accepted if one.message_id == message.message_id), None)
    to, state = message.to.lower(), message.state
    if state in ("waiting", "claimed", "handing_over"):
        verdict.note("stuck", f"{to} is still {state}")
    elif there is not None and state == "in_doubt":
        if any(one.finds_copies for one in ours.accounts if one.address == there.account):
            verdict.note("stuck", f"{to} is in doubt although its copy lies in Sent")
    elif there is not None and state != "sent":
        verdict.note("lost", f"{to} was accepted by Gmail, and is {state} here")
    elif there is None and state == "sent":
        verdict.note("lost", f"{to} is sent here, and Gmail has never accepted it")
    elif state == "refused" and to not in refused_there and message.attempts < MOST_ATTEMPTS - 1:
        verdict.note("lost", f"{to} is refused here, and Gmail has never refused it")
    elif _was_written_to_after_an_opt_out(message, expected):
        verdict.note("disagreements", f"{to} had opted out before it was handed over")
    elif state == "skipped" and to not in expected.suppressed:
        verdict.note("lost", f"{to} was skipped, and nobody asked for that")
    elif state == "cancelled" and ours.campaigns.get(message.campaign or 0) != "cancelled":
        verdict.note("lost", f"{to} is cancelled, and its campaign is not")


def _was_written_to_after_an_opt_out(message: OurMessage, expected: Expected) -> bool:
    """Mail of Daypost itself is no campaign: it may be written to who opted out of those."""
    stood_at = expected.opted_out.get(message.to.lower())
    if stood_at is None or message.campaign is None or expected.clock_was_wrong:
        return False
    return message.handed_over_at is not None and message.handed_over_at > stood_at


def _never_over_the_limit(verdict: Verdict, accepted: list[Accepted], ours: Ours) -> None:
    """At every acceptance of ours, to the microsecond.

    Mail by hand is known ten minutes later, to whoever is about to hand over; and the end of a
    message may reach Gmail late.
    """
    ours_by_id = {one.message_id: one for one in ours.messages}
    for account in ours.accounts:
        theirs = [one for one in accepted if one.account == account.address]
        for this in theirs:
            message = ours_by_id.get(this.message_id)
            if message is None:
                continue
            looked_at = min(message.handed_over_at or this.at, this.at)
            used = sum(
                one.recipients
                for one in theirs
                if this.at - DAY < one.at <= this.at
                and (one.message_id in ours_by_id or one.at + READ_BY_HAND_EVERY <= looked_at)
            )
            if used > account.limit:
                verdict.note(
                    "over_limit",
                    f"{account.address} had sent {used} in the 24 hours to "
                    f"{this.at:%d %H:%M:%S.%f}, its limit is {account.limit}",
                )


def _ledger_agrees(
    verdict: Verdict, accepted: list[Accepted], ours: Ours, expected: Expected
) -> None:
    rows = {row.id: row for row in ours.rows}
    there = {one.message_id: one for one in accepted}
    of_message = defaultdict(list)
    for message in ours.messages:
        row = rows.get(message.row) if message.row is not None else None
        of_message[message.row].append(message)
        says = row.state if row else None
        if says not in ROW_OF_STATE.get(message.state, {says}):
            verdict.note("disagreements", f"{message.to} is {message.state}, its use is {says}")
        theirs = there.get(message.message_id)
        if theirs and row and row.account != theirs.account:
            verdict.note(
                "disagreements", f"{message.to} counts for another account than it left by"
            )
        early = theirs.at - row.at if theirs and row and row.at else timedelta()
        allowed = RESOLUTION if message.found else timedelta()
        if early > allowed and not expected.clock_was_wrong:
            verdict.note("disagreements", f"{message.to} counts from {early} before Gmail had it")
    may_be_left = len(expected.sent_again)
    for row in ours.rows:
        if row.state == "reserved":
            verdict.note("stuck", f"use {row.id} of {row.account} is still reserved")
        elif row.source == "by_hand" or row.state == "void" or row.id in of_message:
            continue
        elif row.state == "unknown" and may_be_left:
            may_be_left -= 1
        else:
            verdict.note("disagreements", f"use {row.id} is {row.state} and belongs to no message")
