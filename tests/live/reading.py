"""What IMAP and POP show."""

import time
from email.parser import BytesHeaderParser

from gmail.errors import AuthRefused
from gmail.imap import ImapSession
from gmail.pop import PopSession
from tests.live.account import MARK, Account
from tests.live.facts import Fact
from tests.live.sending import WRONG_TOKEN

# POP lists the whole mailbox; the example is among the newest of it.
_NEWEST = 40


def folders(account: Account) -> str:
    found = account.imap().folders()
    return "; ".join(
        f"\\{flag}: {name or 'not shown'}"
        for flag, name in {
            "Sent": found.sent,
            "All": found.all_mail,
            "Junk": found.junk,
            "Trash": found.trash,
        }.items()
    )


def a_wrong_token_for_imap(account: Account) -> str:
    return _refusal(ImapSession, account)


def a_wrong_token_for_pop(account: Account) -> str:
    return _refusal(PopSession, account)


def _refusal(kind: type[ImapSession] | type[PopSession], account: Account) -> str:
    try:
        kind.open(account.endpoints, address=account.address, access_token=WRONG_TOKEN).close()
    except AuthRefused as refused:
        return f"{refused.said} (taken as: {refused.why})"
    return "let in"


def what_pop_shows(account: Account) -> str:
    session = account.pop()
    count = len(session.uidls())
    session.close()
    name = _example_in_pop(account)
    return f"{count} messages; mail to oneself {'is' if name else 'is not'} among them"


def after_top(account: Account) -> str:
    name = _example_in_pop(account)  # by TOP
    return "not there" if name is None else _shown_again(account, name)


def after_retr(account: Account) -> str:
    name = _example_in_pop(account)
    if name is None:
        return "not there"
    session = account.pop()
    session.retrieve(session.uidls()[name])
    session.close()
    return _shown_again(account, name)


def recent_after_retr(account: Account) -> str:
    """What went with the fact before."""
    session = account.pop(recent=True)
    try:
        return "shown" if _example_among_newest(account, session) else "not shown"
    finally:
        session.close()


def _shown_again(account: Account, name: str) -> str:
    session = account.pop()
    shown = name in session.uidls()
    session.close()
    return "shown in the next session" if shown else "not shown in the next session"


def _example_in_pop(account: Account) -> str | None:
    """What POP calls the example, as soon as it shows it. Each look is a login, so they are few."""
    deadline = time.monotonic() + account.settings.patience
    while True:
        session = account.pop()
        name = _example_among_newest(account, session)
        session.close()
        if name or time.monotonic() > deadline:
            return name
        time.sleep(min(15.0, account.settings.patience / 12))


def _example_among_newest(account: Account, session: PopSession) -> str | None:
    mark = account.example.probe.mark
    for name, number in sorted(session.uidls().items(), key=lambda pair: -pair[1])[:_NEWEST]:
        header = BytesHeaderParser().parsebytes(session.top(number))
        if header[MARK] == mark:
            return name
    return None


FACTS = (
    Fact("Folders by their flags", "all four, named in the display language", "H", folders),
    Fact("A wrong token, IMAP", "NO [AUTHENTICATIONFAILED]", "M", a_wrong_token_for_imap),
    Fact("A wrong token, POP", "-ERR [AUTH]", "M", a_wrong_token_for_pop),
    Fact("What POP shows", "mail to oneself too", "M", what_pop_shows),
    Fact("A message after TOP", "shown in the next session", "M", after_top),
    Fact("A message after RETR", "not shown in the next session", "H", after_retr),
    Fact("The same, with recent: before the user name", "shown", "M", recent_after_retr),
)
