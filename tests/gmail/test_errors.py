"""What a server says, and an error passes on to pages and tables."""

import pytest

from gmail.errors import AuthRefused, GmailError, SessionEnded, Temporary, Unreachable
from gmail.replies import LONGEST, LoginRefusal

SAID = "[ALERT] a\x00b\r\nc" + " and so on" * 1_000


@pytest.mark.parametrize(
    "error",
    [
        Temporary(SAID),
        AuthRefused(LoginRefusal.CREDENTIALS, SAID),
        SessionEnded(SAID),
        Unreachable(SAID),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_passes_on_only_what_is_fit_to_be_kept(error: GmailError) -> None:
    for words in (str(error), getattr(error, "said", str(error))):
        assert "[ALERT] a b c and so on" in words
        assert words.isprintable()
        assert len(words) <= LONGEST
