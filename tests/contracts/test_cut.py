"""A session that is cut anywhere: nothing hangs, nothing is lost, and the outcome is right.

Each protocol's whole conversation is had once, to count its lines, and then again for every line
of either side, with the line lost just before that one passes. Points run side by side.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import ConnectionLost, FateUnknown, SessionEnded, Unreachable
from gmail.imap import ImapSession
from gmail.pop import PopSession
from gmail.smtp import SmtpSession
from tests.contracts.cutting_proxy import Conversation, Cut, CuttingProxy, How
from tests.contracts.mail import message, new_id
from tests.contracts.practice import PracticeServer

# Long enough for a busy machine to answer in; only silence lasts so long.
PATIENCE = 20.0
SOON = 1.0
# Gmail allows 15 sessions of IMAP at once, and each point has two.
SIDE_BY_SIDE = 5
HOWS: tuple[How, ...] = ("close", "half", "reset", "silence")
# Silence takes its time, so only some points of it are tried.
SILENT_STEPS = 5

Result = TypeVar("Result")


def cuts(said: Conversation, how: How) -> list[Cut]:
    """Before every line of either side."""
    every = [
        Cut(side, line + 1, how)
        for side in ("client", "server")
        for line in range(len(said.said_by(side)))
    ]
    return every[::SILENT_STEPS] if how == "silence" else every


def patience(how: How) -> float:
    return SOON if how == "silence" else PATIENCE


def at_each(points: list[Cut], have: Callable[[Cut], str]) -> None:
    """Have a conversation for each point; each tells what is wrong with its outcome."""
    with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        wrongs = list(threads.map(have, points))
    assert [f"{cut}: {wrong}" for cut, wrong in zip(points, wrongs, strict=True) if wrong] == []


@pytest.fixture(autouse=True, scope="module")
def no_roots_of_the_system() -> Iterator[None]:
    """To read them takes longer than a whole conversation, and none of them is needed here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", os.devnull)
        patch.setenv("SSL_CERT_DIR", os.devnull)
        yield


# --- Sending ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def smtp_proxy(
    server: PracticeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CuttingProxy]:
    yield from proxy_before(server.endpoints.smtp_ssl_port, server, tmp_path_factory)


@pytest.mark.parametrize("how", HOWS)
def test_it_never_takes_an_accepted_message_for_one_that_may_be_sent_again(
    server: PracticeServer, smtp_proxy: CuttingProxy, how: How
) -> None:
    with smtp_proxy.conversation() as whole:
        assert send_two(server, through(smtp_proxy, whole, server)) == ["accepted", "accepted"]
    tried: dict[Cut, tuple[list[str], list[str], int]] = {}

    def have(cut: Cut) -> str:
        recipients = [new_id(), new_id()]
        with smtp_proxy.conversation(cut) as talk:
            endpoints = through(smtp_proxy, talk, server)
            outcomes = send_two(server, endpoints, recipients, patience(how))
        tried[cut] = (recipients, outcomes, bodies_asked_for(talk))
        return ""

    at_each(cuts(whole, how), have)
    assert {outcome for _, outcomes, _ in tried.values() for outcome in outcomes} == {
        "accepted",
        "safe",
        "unknown",
    }
    accepted = server.recipients()
    wrong = [
        f"{cut}: {outcome}"
        for cut, (recipients, outcomes, bodies) in tried.items()
        for place, (to, outcome) in enumerate(zip(recipients, outcomes, strict=True))
        if not is_right(outcome, accepted.count(to), body_was_asked_for=bodies > place)
    ]
    assert wrong == []


def bodies_asked_for(talk: Conversation) -> int:
    """How often the session heard that it may give a message."""
    return sum(line.startswith(b"354") for line in talk.said_by("server"))


def is_right(outcome: str, accepted: int, *, body_was_asked_for: bool) -> bool:
    if outcome == "unknown":
        return body_was_asked_for and accepted <= 1
    return accepted == (1 if outcome == "accepted" else 0)


def send_two(
    server: PracticeServer,
    endpoints: Endpoints,
    recipients: list[str] | None = None,
    timeout: float = PATIENCE,
) -> list[str]:
    """What the session says of each message: accepted, safe to send again, or unknown."""
    outcomes = ["safe", "safe"]
    try:
        session = SmtpSession.open(
            endpoints,
            security="ssl",
            timeout=timeout,
            **server.login,
        )
        for place, to in enumerate(recipients or [new_id(), new_id()]):
            session.begin(server.address, to)
            session.body(message(to=to))
            outcomes[place] = fate(session)
        session.close()
    except (Unreachable, ConnectionLost):
        pass
    return outcomes


def fate(session: SmtpSession) -> str:
    try:
        session.finish()
    except FateUnknown:
        return "unknown"
    return "accepted"


# --- Reading ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def message_id(small_mailbox: PracticeServer) -> str:
    """Of the message that is read."""
    message_id = new_id()
    small_mailbox.put(message(b"one\r\n.two\r\n", message_id=message_id))
    return message_id


@pytest.fixture(scope="module")
def imap_proxy(
    server: PracticeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CuttingProxy]:
    yield from proxy_before(server.endpoints.imap_port, server, tmp_path_factory)


@pytest.fixture(scope="module")
def pop_proxy(
    server: PracticeServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CuttingProxy]:
    yield from proxy_before(server.endpoints.pop_port, server, tmp_path_factory)


@pytest.mark.parametrize("how", HOWS)
def test_a_new_imap_session_carries_on_where_one_was_cut(
    small_mailbox: PracticeServer, imap_proxy: CuttingProxy, message_id: str, how: How
) -> None:
    def read(endpoints: Endpoints, timeout: float) -> object:
        def open_session(at: Endpoints) -> ImapSession:
            return ImapSession.open(at, timeout=timeout, **small_mailbox.login)

        reader = Reader(open_session, endpoints, small_mailbox.endpoints)
        folders = reader.ask(lambda session: session.folders())
        inbox, (uid,) = reader.ask(
            lambda session: (session.examine("INBOX"), session.find(message_id))
        )
        headers = reader.ask(lambda session: (session.examine("INBOX"), session.headers([uid])))
        content = reader.ask(lambda session: (session.examine("INBOX"), session.message(uid, 999)))
        later = reader.ask(lambda session: (session.examine("INBOX"), session.uids_after(uid - 1)))
        reader.close()
        return folders, inbox, uid, headers, content, later

    expect_the_same_at_every_cut(small_mailbox, imap_proxy, how, read)


@pytest.mark.parametrize("how", HOWS)
def test_a_new_pop_session_carries_on_where_one_was_cut(
    small_mailbox: PracticeServer, pop_proxy: CuttingProxy, message_id: str, how: How
) -> None:
    def read(endpoints: Endpoints, timeout: float) -> object:
        def open_session(at: Endpoints) -> PopSession:
            return PopSession.open(at, timeout=timeout, **small_mailbox.login)

        reader = Reader(open_session, endpoints, small_mailbox.endpoints)
        uidls = reader.ask(lambda session: session.uidls())
        tops = [
            reader.ask(lambda session, name=name: session.top(session.uidls()[name], 1))
            for name in uidls
        ]
        reader.close()
        assert any(message_id.encode() in top for top in tops)
        return uidls, tops

    expect_the_same_at_every_cut(small_mailbox, pop_proxy, how, read)


class Reader:
    """Asks on one session; when that one ends, on a new one that nobody cuts."""

    def __init__(
        self,
        open_session: Callable[[Endpoints], ImapSession | PopSession],
        first: Endpoints,
        then: Endpoints,
    ) -> None:
        self._open = open_session
        self._ways = [first, then]
        self._session: ImapSession | PopSession | None = None

    def ask(self, question: Callable[..., Result]) -> Result:
        try:
            self._session = self._session or self._open(self._ways[0])
            return question(self._session)
        except (SessionEnded, Unreachable):
            assert self._session is None or not self._session.alive
            self._session = None
            if len(self._ways) == 1:
                raise
            self._ways.pop(0)
            return self.ask(question)

    def close(self) -> None:
        if self._session is not None:
            self._session.close()


def expect_the_same_at_every_cut(
    server: PracticeServer,
    proxy: CuttingProxy,
    how: How,
    read: Callable[[Endpoints, float], object],
) -> None:
    with proxy.conversation() as whole:
        expected = read(through(proxy, whole, server), PATIENCE)

    def have(cut: Cut) -> str:
        with proxy.conversation(cut) as talk:
            found = read(through(proxy, talk, server), patience(how))
        return "" if found == expected else f"{found} instead of {expected}"

    at_each(cuts(whole, how), have)


# --- Between ---------------------------------------------------------------------------------


def proxy_before(
    port: int, server: PracticeServer, directories: pytest.TempPathFactory
) -> Iterator[CuttingProxy]:
    directory: Path = directories.mktemp("proxy")
    with CuttingProxy(directory, "127.0.0.1", port, server.endpoints.ca_file) as proxy:
        yield proxy


def through(proxy: CuttingProxy, talk: Conversation, server: PracticeServer) -> Endpoints:
    return replace(
        server.endpoints,
        smtp_ssl_port=talk.port,
        imap_port=talk.port,
        pop_port=talk.port,
        ca_file=proxy.ca_file,
    )
