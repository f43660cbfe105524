"""What a check comes to, and how its rows outlive a change of their fields."""

import pytest

from accounts.doctor.check import LABELS, Check, Name, State, as_rows, from_rows


@pytest.mark.parametrize(
    ("check", "state"),
    [
        (Check(Name.POP, True, False, "Found."), State.GOOD),
        (Check(Name.IMAP, False, True, "It is off."), State.RED),
        (Check(Name.POP, False, False, "It is off."), State.UNUSED),
        (Check(Name.SENT_FOLDER, False, True, "Waits.", waits_for=Name.IMAP), State.WAITS),
        (Check(Name.LIMIT, False, False, "10 of 10."), State.WAITS),
        (Check(Name.SELF_TEST, False, False, "Nothing may leave."), State.WAITS),
        (Check(Name.SELF_TEST, True, False, "Switched off."), State.OFF),
        (Check(Name.SELF_TEST, True, True, "Found again."), State.GOOD),
    ],
)
def test_it_comes_to_one_state(check: Check, state: State) -> None:
    assert check.state is state
    assert check.is_red == (state is State.RED)
    assert from_rows(as_rows([check])) == [check]


def test_it_reads_rows_from_before_a_field_was_added() -> None:
    row = {"name": "pop", "ok": True, "needed": False, "detail": "Found.", "remedy": ""}
    assert from_rows([row]) == [Check("pop", True, False, "Found.")]


def test_it_has_a_label_for_every_name() -> None:
    assert list(LABELS) == list(Name)
