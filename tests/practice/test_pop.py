"""A maildrop by POP: what is listed, what RETR costs, what DELE does, and only with QUIT."""

import poplib

import pytest

from tests.practice.clients import ANA, BEN, OAuthClient, xoauth2
from tests.practice.mail_clients import find, imap_client, parsed, pop, pop_line, send
from tests.practice_gmail import PracticeGmail


def uidls(client: poplib.POP3_SSL) -> dict[str, int]:
    """Number by UIDL, in the server's order."""
    pairs = (line.decode().split(" ") for line in client.uidl()[1])
    return {uidl: int(number) for number, uidl in pairs}


def number_of(client: poplib.POP3_SSL, message_id: str) -> int:
    return next(
        number
        for number in uidls(client).values()
        if message_id.encode() in b"\n".join(client.top(number, 0)[1])
    )


def test_it_shows_what_came_and_what_was_sent(gmail: PracticeGmail) -> None:
    sent = send(gmail, BEN)
    with pop(gmail) as client:
        assert number_of(client, sent)
    with pop(gmail, BEN) as client:
        number = number_of(client, sent)
        count, octets = client.stat()
        sizes = [int(line.split(b" ")[1]) for line in client.list()[1]]
        assert (count, octets) == (len(sizes), sum(sizes))
        _, lines, _ = client.retr(number)
        content = b"\r\n".join(lines) + b"\r\n"
        assert len(content) == sizes[number - 1]
        assert parsed(content)["Delivered-To"] == BEN


def test_it_lists_single_messages(gmail: PracticeGmail) -> None:
    send(gmail, ANA)
    with pop(gmail) as client:
        uidl, number = next(iter(uidls(client).items()))
        assert client.uidl(number) == f"+OK {number} {uidl}".encode()
        assert client.list(number).startswith(f"+OK {number} ".encode())
        for command in ("UIDL 999", "LIST 999", "RETR 999", "TOP 999 0", "DELE 0", "RETR 0"):
            with pytest.raises(poplib.error_proto, match="Message number out of range"):
                client._shortcmd(command)


def test_it_gives_the_head_and_as_many_lines_as_are_asked_for(gmail: PracticeGmail) -> None:
    text = "one\r\ntwo\r\n..three\r\n.\r\nfive"
    message_id = send(gmail, ANA, text=text)
    with pop(gmail) as client:
        number = number_of(client, message_id)
        tops = [client.top(number, lines)[1] for lines in (0, 2, 99)]
        assert tops[0][-1] == b""
        assert tops[1][-2:] == [b"one", b"two"]
        assert tops[2][-5:] == [b"one", b"two", b"..three", b".", b"five"]
        assert client.retr(number)[1] == tops[2]


def test_it_hides_from_later_sessions_what_was_fetched(gmail: PracticeGmail) -> None:
    message_id = send(gmail, ANA)
    with pop(gmail) as client:
        number = number_of(client, message_id)
        (uidl,) = (each for each, place in uidls(client).items() if place == number)
        client.retr(number)
    # Without QUIT nothing has happened.
    with pop(gmail) as client:
        client.retr(uidls(client)[uidl])
        assert uidl in uidls(client)
        client.quit()
    with pop(gmail) as client:
        assert uidl not in uidls(client)
    # IMAP shows it all the same.
    with imap_client(gmail) as reader:
        assert len(find(reader, "INBOX", message_id)) == 1


def test_it_hides_nothing_for_a_glance_at_the_head(gmail: PracticeGmail) -> None:
    message_id = send(gmail, ANA)
    for _ in range(2):
        with pop(gmail) as client:
            assert number_of(client, message_id)
            client.quit()


def test_it_shows_the_last_thirty_days_to_a_recent_user(gmail: PracticeGmail) -> None:
    message_id = send(gmail, ANA)
    with pop(gmail) as client:
        client.retr(number_of(client, message_id))
        client.quit()
    token = OAuthClient(gmail).connect()["access_token"]
    for _ in range(2):
        with pop(gmail, f"recent:{ANA}") as client:
            client.retr(number_of(client, message_id))
            client.quit()
        with pop_line(gmail) as client:
            client._shortcmd(f"AUTH XOAUTH2 {xoauth2(f'recent:{ANA}', token)}")
            assert number_of(client, message_id)
    gmail.control(clock_offset=31 * 86_400)
    with pop(gmail, f"recent:{ANA}") as client:
        assert uidls(client) == {}


def test_it_moves_to_trash_what_is_deleted(gmail: PracticeGmail) -> None:
    message_id, kept = send(gmail, ANA), send(gmail, ANA)
    with pop(gmail) as client:
        client.dele(number_of(client, kept))
        client.rset()
        number = number_of(client, message_id)
        client.dele(number)
        assert number not in uidls(client).values()
        with pytest.raises(poplib.error_proto, match="out of range"):
            client.retr(number)
        assert client.stat()[0] == len(uidls(client))
    with pop(gmail) as client:
        client.dele(number_of(client, message_id))
        client.quit()
    with imap_client(gmail) as reader:
        assert len(find(reader, "[Gmail]/Trash", message_id)) == 1
        assert find(reader, "INBOX", message_id) == []
        assert len(find(reader, "INBOX", kept)) == 1


def test_it_keeps_numbers_and_uidls(own_gmail: PracticeGmail) -> None:
    send(own_gmail, ANA)
    with pop(own_gmail) as client:
        before = uidls(client)
        send(own_gmail, ANA)
        assert uidls(client) == before
        client.quit()
    own_gmail.kill()
    own_gmail.start()
    with pop(own_gmail) as client:
        assert list(uidls(client).items())[: len(before)] == list(before.items())
        assert len(uidls(client)) == len(before) + 1


def test_it_keeps_answers_apart_that_were_asked_for_at_once(gmail: PracticeGmail) -> None:
    send(gmail, ANA, text="\r\n".join(["x" * 990] * 300))
    with pop(gmail) as client:
        last = len(uidls(client))
        client._putline(f"RETR {last}\r\nTOP {last} 0\r\nNOOP".encode())
        whole, top = client._getlongresp()[1], client._getlongresp()[1]
        assert (whole[: len(top)], whole[-300:]) == (top, [b"x" * 990] * 300)
        assert client._getresp() == b"+OK "
