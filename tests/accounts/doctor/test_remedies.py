"""Whatever goes wrong, the doctor has something to say about it."""

from collections.abc import Iterator

import pytest

from accounts.by_hand import TakesLong
from accounts.doctor.check import Name
from accounts.doctor.probes import NotSeen
from accounts.doctor.remedies import CaFileUnreadable, remedy
from accounts.models import GmailAccount
from accounts.vault import VaultError
from campaigns.delivery.line import LoginsSpent
from gmail import errors
from gmail.errors import GmailError
from gmail.replies import LoginRefusal, Phase, Reply

ERRORS: list[GmailError | VaultError] = [
    VaultError("No key."),
    *(errors.AuthRefused(why, "No.") for why in LoginRefusal),
    errors.Unreachable("No."),
    errors.ConnectionLost(Phase.MAIL),
    errors.Temporary("No."),
    errors.SessionEnded("No."),
    errors.FolderMissing(r"\Sent"),
    errors.Refused(Reply(550, "No."), Phase.RCPT),
    errors.FateUnknown(),
    errors.GrantRevoked("No."),
    errors.ClientRefused("No."),
    errors.ConsentRefused("No."),
    errors.StateMismatch("No."),
    errors.ScopeMissing(("mail",)),
    errors.RefreshTokenMissing("No."),
    errors.MailboxUnknown("No."),
    NotSeen(Name.IMAP),
    CaFileUnreadable("No."),
    LoginsSpent("No."),
    TakesLong("No."),
]


def every(kind: type[GmailError]) -> Iterator[type[GmailError]]:
    for each in kind.__subclasses__():
        yield each
        yield from every(each)


def test_it_is_asked_about_every_error() -> None:
    assert set(every(GmailError)) <= {type(error) for error in ERRORS}


@pytest.mark.parametrize("auth", GmailAccount.Auth.values)
@pytest.mark.parametrize("practice", [True, False], ids=["practice", "Gmail"])
def test_it_has_a_remedy_for_everything(auth: str, practice: bool) -> None:
    account = GmailAccount(address="ana@gmail.com", auth=auth, practice=practice)
    for error in ERRORS:
        for name in Name:
            assert remedy(name, error, account, None).strip(), f"{name}: {error!r}"
