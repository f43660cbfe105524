"""What is written down of a failure, and how it reads."""

import pytest

from accounts import rest_words
from accounts.vault import VaultError
from gmail.errors import ClientRefused, ConnectionLost, FateUnknown, GmailError, Temporary
from gmail.errors import Unreachable as NotReached
from gmail.replies import Phase

BUSY = "454 4.7.0 Too many login attempts, please try again later."


def test_it_keeps_gmails_words_and_finds_ours_when_they_are_read() -> None:
    reason = rest_words.reason_of(Temporary(BUSY))
    assert reason == rest_words.said(reason) == BUSY
    assert "too many log-ins" in rest_words.why(reason)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (NotReached("smtp.gmail.com: no answer in time."), "(smtp.gmail.com: no answer in time)"),
        (ConnectionLost(Phase.MAIL), "broke off"),
        (FateUnknown(), "broke off"),
        (ClientRefused("The OAuth client was not found."), "Compare both"),
        (VaultError("The keys do not fit."), "The keys do not fit."),
    ],
)
def test_it_says_what_happened_where_gmail_said_nothing(
    error: GmailError | VaultError, words: str
) -> None:
    reason = rest_words.reason_of(error)
    assert words in rest_words.why(reason) == reason
    assert rest_words.said(reason) == ""
