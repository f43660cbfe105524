"""The checker turns red: each of these ledgers was doctored."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.torture.checker import (
    DAY,
    Accepted,
    Expected,
    OurAccount,
    OurMessage,
    OurRow,
    Ours,
    Verdict,
    judge,
)

ANA = "ana@gmail.com"
START = datetime(2027, 3, 1, 9, tzinfo=UTC)
PEOPLE = [f"person{number}@example.org" for number in range(4)]


class Case:
    """Four people, all served as they should be, under a limit of four."""

    def __init__(self) -> None:
        self.accepted = [
            Accepted(START + timedelta(minutes=n), ANA, 1, f"<{n}@gmail.com>", to)
            for n, to in enumerate(PEOPLE)
        ]
        self.refused: list[str] = []
        self.messages = [
            OurMessage(n, 1, to, f"<{n}@gmail.com>", "sent", row=n) for n, to in enumerate(PEOPLE)
        ]
        self.rows = [
            OurRow(n, ANA, "campaign", "accepted", one.at + timedelta(seconds=1))
            for n, one in enumerate(self.accepted)
        ]
        self.account = OurAccount(ANA, limit=4)
        self.campaigns = {1: "finished"}
        self.expected = Expected({(1, to) for to in PEOPLE})
        self.doubted: set[int] = set()

    def becomes(self, number: int, state: str, use: str | None = None, **more: object) -> None:
        self.messages[number] = replace(self.messages[number], state=state, **more)
        if use is not None:
            self.rows[number] = replace(self.rows[number], state=use)

    def verdict(self) -> Verdict:
        ours = Ours(self.messages, self.rows, [self.account], self.campaigns)
        return judge(self.accepted, self.refused, ours, self.expected, self.doubted)


def counts(verdict: Verdict) -> set[str]:
    names = ("duplicates", "lost", "over_limit", "stuck", "disagreements")
    return {name for name in names if getattr(verdict, name)}


def test_it_finds_nothing_where_nothing_is_wrong() -> None:
    verdict = Case().verdict()
    assert not verdict.red
    assert (verdict.messages, verdict.in_doubt_held, verdict.in_doubt_resolved) == (4, 0, 0)


def counted_for_another_account(case: Case) -> None:
    case.rows[0] = replace(case.rows[0], account="other@gmail.com")


def written_to_after_an_opt_out(case: Case) -> None:
    moment = START + timedelta(hours=1)
    case.messages[0] = replace(case.messages[0], handed_over_at=moment)
    before = moment - timedelta(microseconds=1)
    case.expected = replace(case.expected, opted_out={PEOPLE[0]: before})


def accepted_twice(case: Case) -> None:
    case.accepted.append(replace(case.accepted[0], at=START + 2 * DAY))


def written_to_by_two_messages(case: Case) -> None:
    late = START + 2 * DAY
    case.accepted.append(Accepted(late, ANA, 1, "<again@gmail.com>", PEOPLE[0].upper()))
    case.messages.append(OurMessage(9, 1, PEOPLE[0], "<again@gmail.com>", "sent", row=9))
    case.rows.append(OurRow(9, ANA, "campaign", "accepted", late))
    case.expected = Expected({(1, to) for to in PEOPLE[1:]})


def forgotten(case: Case) -> None:
    del case.messages[3], case.rows[3], case.accepted[3]


def in_no_state(case: Case) -> None:
    case.becomes(0, "archived")


def sent_here_only(case: Case) -> None:
    del case.accepted[2]


def accepted_there_only(case: Case) -> None:
    case.becomes(2, "refused", "void")
    case.refused.append(PEOPLE[2])


def refused_by_nobody(case: Case) -> None:
    case.becomes(2, "refused", "void")
    del case.accepted[2]


def skipped_for_no_reason(case: Case) -> None:
    case.becomes(2, "skipped", "void")
    del case.accepted[2]


def cancelled_alone(case: Case) -> None:
    case.becomes(2, "cancelled", "void")
    del case.accepted[2]


def one_too_many(case: Case) -> None:
    case.account = OurAccount(ANA, limit=3)


def one_microsecond_too_early(case: Case) -> None:
    """The fifth leaves a microsecond before the first has aged."""
    fifth = START + DAY - timedelta(microseconds=1)
    case.accepted.append(Accepted(fifth, ANA, 1, "<5@gmail.com>", "fifth@example.org"))
    case.messages.append(OurMessage(5, 1, "fifth@example.org", "<5@gmail.com>", "sent", row=5))
    case.rows.append(OurRow(5, ANA, "campaign", "accepted", fifth))


def two_recipients_by_hand(case: Case) -> None:
    """Read from Sent long ago, and not counted."""
    by_hand = Accepted(START - timedelta(hours=1), ANA, 2, "<hand@gmail.com>", "a@b.org, c@d.org")
    case.accepted.append(by_hand)


def still_waiting(case: Case) -> None:
    case.becomes(3, "waiting", "void")
    del case.accepted[3]


def still_claimed(case: Case) -> None:
    case.becomes(3, "claimed", "reserved")
    del case.accepted[3]


def never_finished(case: Case) -> None:
    case.campaigns = {1: "sending"}


def in_doubt_though_found(case: Case) -> None:
    case.becomes(1, "in_doubt", "unknown")
    case.account = replace(case.account, finds_copies=True)


def use_given_back(case: Case) -> None:
    case.rows[0] = replace(case.rows[0], state="void")


def use_of_nobody(case: Case) -> None:
    case.rows.append(OurRow(8, ANA, "campaign", "accepted", START))


def use_dated_too_early(case: Case) -> None:
    case.rows[0] = replace(case.rows[0], at=START - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("doctor", "found"),
    [
        (counted_for_another_account, {"disagreements"}),
        (written_to_after_an_opt_out, {"disagreements"}),
        (accepted_twice, {"duplicates"}),
        (written_to_by_two_messages, {"duplicates"}),
        (forgotten, {"lost"}),
        (in_no_state, {"lost"}),
        (sent_here_only, {"lost"}),
        (accepted_there_only, {"lost"}),
        (refused_by_nobody, {"lost"}),
        (skipped_for_no_reason, {"lost"}),
        (cancelled_alone, {"lost"}),
        (one_too_many, {"over_limit"}),
        (one_microsecond_too_early, {"over_limit"}),
        (two_recipients_by_hand, {"over_limit"}),
        (still_waiting, {"stuck"}),
        (still_claimed, {"stuck"}),
        (never_finished, {"stuck"}),
        (in_doubt_though_found, {"stuck"}),
        (use_given_back, {"disagreements"}),
        (use_of_nobody, {"disagreements"}),
        (use_dated_too_early, {"disagreements"}),
    ],
)
def test_it_turns_red(doctor: Callable[[Case], None], found: set[str]) -> None:
    case = Case()
    doctor(case)
    assert found <= counts(case.verdict())


def test_it_counts_mail_by_hand_from_when_it_can_be_known() -> None:
    case = Case()
    case.account = OurAccount(ANA, limit=5)
    two_recipients_by_hand(case)
    case.accepted[-1] = replace(case.accepted[-1], at=START - timedelta(minutes=8))
    late = replace(case.messages[3], handed_over_at=START + timedelta(minutes=1, seconds=59))
    case.messages[3] = late
    assert not case.verdict().red
    case.messages[3] = replace(late, handed_over_at=START + timedelta(minutes=2))
    assert counts(case.verdict()) == {"over_limit"}


def test_it_lets_what_was_found_in_sent_be_dated_by_whole_seconds() -> None:
    case = Case()
    case.accepted[0] = replace(case.accepted[0], at=START + timedelta(milliseconds=999))
    case.rows[0] = replace(case.rows[0], at=START)
    assert counts(case.verdict()) == {"disagreements"}
    case.messages[0] = replace(case.messages[0], found=True)
    assert not case.verdict().red
    case.rows[0] = replace(case.rows[0], at=START - timedelta(seconds=1))
    assert counts(case.verdict()) == {"disagreements"}


def test_it_counts_a_doubt_that_is_held_and_one_that_was_settled() -> None:
    case = Case()
    case.becomes(1, "in_doubt", "unknown")
    case.becomes(2, "in_doubt", "unknown")
    del case.accepted[2]
    case.doubted = {1, 2, 3}
    verdict = case.verdict()
    assert not verdict.red
    assert (verdict.in_doubt_held, verdict.in_doubt_resolved) == (2, 1)


def test_it_lets_the_next_leave_once_a_day_is_over() -> None:
    case = Case()
    one_microsecond_too_early(case)
    for rows in (case.accepted, case.rows):
        rows[-1] = replace(rows[-1], at=START + DAY)
    assert not case.verdict().red


def test_it_knows_who_was_refused_suppressed_or_cancelled() -> None:
    case = Case()
    case.becomes(0, "refused", "void")
    case.becomes(1, "skipped", "void")
    case.refused.append(PEOPLE[0])
    case.expected = replace(case.expected, suppressed={PEOPLE[1]})
    del case.accepted[:2]
    assert not case.verdict().red
    case.campaigns = {1: "cancelled"}
    case.becomes(2, "cancelled", "void")
    del case.accepted[0]
    assert not case.verdict().red
