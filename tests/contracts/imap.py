"""What holds for reading by IMAP."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gmail.endpoints import Endpoints
from gmail.errors import SessionEnded, Temporary
from gmail.imap import ImapSession
from tests.contracts import login
from tests.contracts.mail import (
    HARD_BODIES,
    HEADER_END,
    HUGE,
    LONG_LINES,
    expect_the_end,
    flags_in_inbox,
    message,
    new_id,
)
from tests.contracts.server import MailServer

FAR = 4_000_000_000
ENOUGH = 50 * 1024 * 1024


class LoggingIn(login.LoggingIn):
    def open(self, endpoints: Endpoints, **login: Any) -> ImapSession:
        return ImapSession.open(endpoints, **login)


class Reading:
    @pytest.fixture
    def session(self, server: MailServer) -> Iterator[ImapSession]:
        session = open_imap(server)
        yield session
        session.close()

    @pytest.fixture
    def inbox(self, session: ImapSession) -> ImapSession:
        session.examine("INBOX")
        return session

    def test_it_knows_folders_by_their_flags(
        self, server: MailServer, session: ImapSession
    ) -> None:
        folders = session.folders()
        assert (folders.inbox, folders.sent) == ("INBOX", server.sent_folder)
        assert None not in (folders.all_mail, folders.junk, folders.trash)

    def test_it_says_whether_gmails_search_is_offered(
        self, server: MailServer, session: ImapSession
    ) -> None:
        assert session.offers_gmail_search == server.gmail_search

    def test_it_finds_a_message_in_a_folder_with_a_name_beyond_ascii(
        self, server: MailServer, session: ImapSession
    ) -> None:
        message_id = new_id()
        server.put(message(message_id=message_id), "sent")
        selected = session.examine(server.sent_folder)
        assert (selected.folder, selected.messages > 0) == (server.sent_folder, True)
        (uid,) = session.find(f"<{message_id}>")
        assert session.find(message_id) == [uid]
        assert uid < selected.uid_next

    def test_it_finds_nothing_where_nothing_is(self, inbox: ImapSession) -> None:
        assert inbox.find(new_id()) == []

    @pytest.mark.parametrize(
        "odd",
        ['a"b{}@x.example', "a\\b{}@x.example", "(a){}@x.example", "a{}{{5}}", "%*{}@]["],
    )
    def test_it_finds_a_message_by_an_odd_id(
        self, server: MailServer, inbox: ImapSession, odd: str
    ) -> None:
        message_id = odd.format(new_id())
        server.put(message(message_id=message_id))
        assert inbox.examine("INBOX").messages > 0
        assert len(inbox.find(message_id)) == 1

    @pytest.mark.parametrize(
        "odd",
        [
            "",
            "<>",
            "a\r\nA1 LOGOUT",
            "a\nb",
            "a\0b",
            "ä@ö.example",
            "(a) OR b@c.example",
            '" ALL',
            "x" * 5_000,
        ],
    )
    def test_it_asks_for_an_impossible_id_without_leaving_the_command(
        self, inbox: ImapSession, odd: str
    ) -> None:
        assert inbox.find(odd) == []
        assert inbox.alive
        assert inbox.find(new_id()) == []

    @pytest.mark.parametrize("kind", [*HARD_BODIES, "long lines", "huge"])
    def test_it_reads_a_message_as_it_is(
        self, server: MailServer, inbox: ImapSession, kind: str
    ) -> None:
        body = {**HARD_BODIES, "long lines": LONG_LINES, "huge": HUGE}[kind]
        sent = message(body)
        uid = put(server, inbox, sent)
        assert inbox.message(uid, ENOUGH) == sent
        assert inbox.message(uid, 120) == sent[:120]
        assert inbox.headers([uid]) == {uid: header_of(sent)}

    def test_it_reads_many_headers_at_once(self, server: MailServer, inbox: ImapSession) -> None:
        sent = [message() for _ in range(3)]
        uids = [put(server, inbox, each) for each in sent]
        expected = {uid: header_of(each) for uid, each in zip(uids, sent, strict=True)}
        assert inbox.headers([*uids, FAR]) == expected

    def test_it_dates_a_message_and_reads_some_lines_of_its_header(
        self, server: MailServer, inbox: ImapSession
    ) -> None:
        sent = message(to="ben@gmail.com,\r\n cat@gmail.com")
        before = datetime.now(UTC)
        uid = put(server, inbox, sent)
        found = inbox.dated([uid, FAR], ("To", "Message-ID", "Bcc"))
        assert list(found) == [uid]
        assert b"To: ben@gmail.com,\r\n cat@gmail.com\r\n" in found[uid].header
        assert b"Message-ID: " in found[uid].header
        assert b"Subject" not in found[uid].header
        passed = found[uid].received - before
        assert timedelta(seconds=-1) <= passed < timedelta(minutes=5)
        assert inbox.dated([], ("To",)) == {}

    def test_it_names_what_came_since_a_day(self, server: MailServer, inbox: ImapSession) -> None:
        uid = put(server, inbox, message())
        today = datetime.now(UTC).date()
        assert inbox.uids_after(uid - 1, since=today - timedelta(days=1)) == [uid]
        assert inbox.uids_after(uid, since=today - timedelta(days=1)) == []
        assert inbox.uids_after(0, since=today + timedelta(days=2)) == []

    def test_it_reads_nothing_of_a_message_that_is_gone(self, inbox: ImapSession) -> None:
        assert inbox.headers([FAR]) == {}
        assert inbox.headers([]) == {}
        assert inbox.message(FAR, ENOUGH) == b""

    def test_it_names_what_came_after(self, server: MailServer, inbox: ImapSession) -> None:
        put(server, inbox, message())
        before = inbox.uids_after(0)
        assert inbox.uids_after(before[-1]) == []
        assert inbox.uids_after(FAR) == []
        uid = put(server, inbox, message())
        assert inbox.uids_after(before[-1]) == [uid]
        assert inbox.uids_after(0) == [*before, uid]

    def test_it_reads_an_empty_folder(self, session: ImapSession) -> None:
        trash = session.folders().trash
        assert trash is not None
        assert session.examine(trash).messages == 0
        assert session.uids_after(0) == []
        assert session.find(new_id()) == []

    def test_it_leaves_unread_what_it_reads(self, server: MailServer, inbox: ImapSession) -> None:
        message_id = new_id()
        uid = put(server, inbox, message(message_id=message_id))
        before = flags_in_inbox(server)
        assert inbox.find(message_id) == [uid]
        inbox.headers([uid])
        inbox.message(uid, ENOUGH)
        inbox.message(uid, 10)
        inbox.close()
        assert flags_in_inbox(server) == before
        assert not any(b"Seen" in each for each in before if b"UID %d " % uid in each)

    def test_it_goes_on_after_a_folder_that_is_not_there(self, session: ImapSession) -> None:
        with pytest.raises(Temporary):
            session.examine('No "such" folder')
        assert session.alive
        assert session.examine("INBOX").folder == "INBOX"

    def test_a_new_session_carries_on_where_the_server_ended_one(
        self, server: MailServer, inbox: ImapSession
    ) -> None:
        uid = put(server, inbox, message())
        validity = inbox.examine("INBOX").uid_validity
        server.end_sessions("imap")
        expect_the_end(lambda: inbox.uids_after(0), SessionEnded)
        assert not inbox.alive
        with pytest.raises(SessionEnded):
            inbox.examine("INBOX")
        other = open_imap(server)
        assert other.examine("INBOX").uid_validity == validity
        assert other.uids_after(uid - 1) == [uid]
        other.close()


def open_imap(server: MailServer) -> ImapSession:
    return ImapSession.open(
        server.endpoints, address=server.address, app_password=server.app_password, timeout=20
    )


def put(server: MailServer, session: ImapSession, content: bytes) -> int:
    """File `content` in the inbox; the UID that it has there."""
    last = session.examine("INBOX").uid_next - 1
    server.put(content)
    session.examine("INBOX")
    (uid,) = session.uids_after(last)
    return uid


def header_of(content: bytes) -> bytes:
    """With the empty line that ends it."""
    return content.partition(HEADER_END)[0] + HEADER_END
