"""A mailbox by IMAP, with two independent clients: folders, searching, fetching, changing."""

import re
from datetime import UTC, datetime

import pytest
from imapclient import IMAPClient

from tests.practice.clients import ANA, BEN, mail
from tests.practice.mail_clients import ALL_MAIL, SENT, arrive, find, imap, imap_client, send
from tests.practice_gmail import PracticeGmail


def test_it_lists_the_folders_with_their_special_use(gmail: PracticeGmail) -> None:
    with imap_client(gmail) as client:
        listed = {name: set(flags) for flags, _, name in client.list_folders()}
        assert {delimiter for _, delimiter, _ in client.list_folders()} == {b"/"}
        assert client.list_folders("", "[Gmail]/T%") == [
            ((b"\\HasNoChildren", b"\\Trash"), b"/", "[Gmail]/Trash")
        ]
    uses = {
        "[Gmail]/All Mail": b"\\All",
        "[Gmail]/Drafts": b"\\Drafts",
        "[Gmail]/Important": b"\\Important",
        "[Gmail]/Sent Mail": b"\\Sent",
        "[Gmail]/Spam": b"\\Junk",
        "[Gmail]/Starred": b"\\Flagged",
        "[Gmail]/Trash": b"\\Trash",
    }
    assert listed == {
        "INBOX": {b"\\HasNoChildren"},
        "[Gmail]": {b"\\HasChildren", b"\\Noselect"},
        **{name: {b"\\HasNoChildren", use} for name, use in uses.items()},
    }


def test_it_hides_what_is_not_shown_in_imap(gmail: PracticeGmail) -> None:
    gmail.control(hide={ANA: ["sent", "all"]})
    with imap_client(gmail) as client:
        names = {name for _, _, name in client.list_folders()}
        assert names.isdisjoint({"[Gmail]/Sent Mail", "[Gmail]/All Mail"})
        assert not client.folder_exists("[Gmail]/Sent Mail")
        with pytest.raises(IMAPClient.Error, match="NONEXISTENT"):
            client.select_folder("[Gmail]/Sent Mail")
    gmail.control(hide={ANA: []})
    with imap_client(gmail) as client:
        assert client.folder_exists("[Gmail]/Sent Mail")


def test_it_says_what_a_folder_holds(gmail: PracticeGmail) -> None:
    send(gmail, "cleo@example.org")
    with imap(gmail) as client:
        _, (count,) = client.select(SENT, readonly=True)
        validity, uid_next = (client.response(key)[1][0] for key in ("UIDVALIDITY", "UIDNEXT"))
        assert client.response("PERMANENTFLAGS")[1] == [b"()"]
        _, (status,) = client.status(SENT, "(MESSAGES UIDNEXT UIDVALIDITY UNSEEN RECENT)")
        expected = (b"MESSAGES", count, b"UIDNEXT", uid_next, b"UIDVALIDITY", validity)
        assert status is not None and b" ".join(expected) in status
        send(gmail, "cleo@example.org")
        assert client.uid("SEARCH", "UID", f"{uid_next.decode()}:*")[1] == [uid_next]


def test_it_finds_by_message_id(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "cleo@example.org")
    bare = message_id.strip("<>")
    with imap_client(gmail) as client:
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        assert client.gmail_search(f"rfc822msgid:{bare}") == [uid]
        assert client.gmail_search(f"in:anywhere rfc822msgid:nobody@x OR rfc822msgid:{bare}") == [
            uid
        ]
        assert client.search(["HEADER", "Message-ID", message_id]) == [uid]
        assert client.search(["HEADER", "Message-ID", bare.upper()]) == [uid]
        assert client.gmail_search("rfc822msgid:nobody@example.org") == []
        assert find(client, "INBOX", message_id) == []


def test_it_searches_by_every_key(gmail: PracticeGmail) -> None:
    content = mail("cleo@example.org", text="A zebra.")
    message_id = send(gmail, "cleo@example.org", content.replace("Ana <", '"Ana B." <'))
    today = datetime.now(UTC).strftime("%d-%b-%Y")
    hits = [
        ["ALL"],
        ["SINCE", today],
        ["ON", today],
        ["SEEN", "UNFLAGGED", "UNDELETED", "NOT", ["ANSWERED"]],
        ["TO", "CLEO@"],
        ["FROM", "Ana B."],
        ["BODY", "zebra"],
        ["TEXT", "subject: "],
        ["SMALLER", "100000", "LARGER", "100"],
        ["OR", "UNSEEN", ["SEEN", "TO", "cleo"]],
        ["X-GM-LABELS", "\\Sent"],
        ["UNKEYWORD", "$Phishing"],
        ["HEADER", "Received", ""],
        ["UID", "1:*"],
        ["1:*"],
    ]
    misses = [
        ["UNSEEN"],
        ["BEFORE", "1-Jan-2020"],
        ["TO", "dora"],
        ["SUBJECT", "zebra"],
        ["BODY", "giraffe"],
        ["LARGER", "100000"],
        ["X-GM-LABELS", "\\Inbox"],
        ["HEADER", "X-Nothing", ""],
        ["NOT", ["ALL"]],
        ["KEYWORD", "$Phishing"],
    ]
    with imap_client(gmail) as client:
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        for keys in hits:
            assert uid in client.search(keys), keys
        for keys in misses:
            assert uid not in client.search(keys), keys
        (number,) = client.fetch([uid], ["X-GM-MSGID"]).values()
        assert client.search(["X-GM-MSGID", str(number[b"X-GM-MSGID"])]) == [uid]


def test_it_reads_search_keys_from_literals(gmail: PracticeGmail) -> None:
    content = mail("cleo@example.org").replace("Hello", "=?utf-8?q?Gr=C3=BC=C3=9Fe?= 7")
    message_id = send(gmail, "cleo@example.org", content)
    with imap_client(gmail) as client:
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        assert uid in client.search(["SUBJECT", "grüße", "TO", "cleo"], "UTF-8")
        with pytest.raises(IMAPClient.Error, match="BADCHARSET"):
            client.search(["SUBJECT", "x"], "KOI8-R")


def test_it_names_ranges_of_uids_that_reach_beyond_the_last(gmail: PracticeGmail) -> None:
    send(gmail, "cleo@example.org")
    send(gmail, "dora@example.org")
    with imap(gmail) as client:
        client.select(SENT, readonly=True)
        every = client.uid("SEARCH", "ALL")[1][0].split()
        assert client.uid("SEARCH", "UID", "9999:*")[1] == [every[-1]]
        assert client.uid("SEARCH", "UID", "*:" + every[-2].decode())[1][0].split() == every[-2:]
        fetched = client.uid("FETCH", "9999:*", "(UID)")[1]
        assert re.search(rb"UID (\d+)", fetched[0])[1] == every[-1]
        assert client.uid("FETCH", "9998:9999", "(UID)")[1] == [None]


def test_it_fetches_what_is_asked_for(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "cleo@example.org")
    with imap_client(gmail) as client:
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        items = ["FLAGS", "INTERNALDATE", "RFC822.SIZE", "X-GM-MSGID", "X-GM-THRID", "X-GM-LABELS"]
        parts = ["BODY.PEEK[]", "BODY.PEEK[HEADER]", "BODY.PEEK[TEXT]", "BODY.PEEK[]<10.30>"]
        named = "BODY.PEEK[HEADER.FIELDS (SUBJECT MESSAGE-ID)]"
        (found,) = client.fetch([uid], [*items, *parts, named]).values()
        whole = found[b"BODY[]"]
        assert found[b"RFC822.SIZE"] == len(whole)
        assert found[b"BODY[HEADER]"] + found[b"BODY[TEXT]"] == whole
        assert found[b"BODY[TEXT]"] == b"A line.\r\n"
        assert found[b"BODY[]<10>"] == whole[10:40]
        fields = f"Subject: Hello\r\nMessage-ID: {message_id}\r\n\r\n"
        assert found[b"BODY[HEADER.FIELDS (SUBJECT MESSAGE-ID)]"] == fields.encode()
        assert found[b"FLAGS"] == (b"\\Seen",)
        assert found[b"X-GM-LABELS"] == ()
        assert found[b"X-GM-MSGID"] == found[b"X-GM-THRID"] > 2**40
        left = client.fetch([uid], ["BODY.PEEK[HEADER.FIELDS.NOT (SUBJECT)]"])[uid]
        (header,) = (value for key, value in left.items() if key.startswith(b"BODY"))
        assert b"Subject" not in header and b"Message-ID" in header


def test_it_shows_the_parts_of_a_message(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "nobody-parts@example.org")
    with imap_client(gmail) as client:
        client.select_folder("INBOX", readonly=True)
        (uid,) = client.search(["HEADER", "In-Reply-To", message_id])
        structure = ["ENVELOPE", "BODYSTRUCTURE"]
        parts = ["BODY.PEEK[2]", "BODY.PEEK[2.MIME]", "BODY.PEEK[1.1.1]", "BODY.PEEK[9]"]
        nested = ["BODY.PEEK[3.HEADER]", "BODY.PEEK[3.1]"]
        (found,) = client.fetch([uid], [*structure, *parts, *nested]).values()
    assert found[b"ENVELOPE"].in_reply_to == message_id.encode()
    assert found[b"ENVELOPE"].from_[0].mailbox == b"mailer-daemon"
    (related, status, original), *_ = found[b"BODYSTRUCTURE"]
    assert (status[0], status[1], original[1]) == (b"message", b"delivery-status", b"rfc822")
    assert related.is_multipart
    assert b"Action: failed" in found[b"BODY[2]"]
    assert found[b"BODY[2.MIME]"] == b"Content-Type: message/delivery-status\r\n\r\n"
    assert b"Address not found" in found[b"BODY[1.1.1]"]
    assert found[b"BODY[9]"] == b""
    assert b"To: nobody-parts@example.org" in found[b"BODY[3.HEADER]"]
    assert b"A line." in found[b"BODY[3.1]"]


def test_it_marks_as_read_only_what_was_really_read(gmail: PracticeGmail) -> None:
    message_id = send(gmail, ANA)
    with imap_client(gmail) as client:
        (uid,) = find(client, "INBOX", message_id)

        def flags() -> tuple[bytes, ...]:
            return tuple(client.get_flags([uid])[uid])

        client.fetch([uid], ["BODY[]", "RFC822"])
        assert flags() == ()
        client.select_folder("INBOX")
        client.fetch([uid], ["BODY.PEEK[]", "RFC822.HEADER", "BODY.PEEK[TEXT]"])
        assert flags() == ()
        assert client.fetch([uid], ["BODY[TEXT]"])[uid][b"FLAGS"] == (b"\\Seen",)
        assert flags() == (b"\\Seen",)
        # One message, one state: Sent has it too.
        client.select_folder("[Gmail]/Sent Mail")
        (sent,) = client.gmail_search(f"rfc822msgid:{message_id}")
        assert client.get_flags([sent])[sent] == (b"\\Seen",)


def test_it_changes_flags_where_that_is_allowed(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "cleo@example.org")
    with imap_client(gmail) as client:
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        with pytest.raises(IMAPClient.Error, match="READ-ONLY"):
            client.add_flags([uid], [b"\\Flagged"])
        client.select_folder("[Gmail]/Sent Mail")
        assert client.add_flags([uid], [b"\\Flagged"])[uid] == (b"\\Flagged", b"\\Seen")
        assert len(find(client, "[Gmail]/Starred", message_id)) == 1
        client.select_folder("[Gmail]/Sent Mail")
        assert client.remove_flags([uid], [b"\\Seen"])[uid] == (b"\\Flagged",)
        assert client.set_flags([uid], [b"\\Answered", b"nonsense"])[uid] == (b"\\Answered",)
        assert find(client, "[Gmail]/Starred", message_id) == []


def test_it_takes_labels_off_and_keeps_the_message(gmail: PracticeGmail) -> None:
    message_id = send(gmail, ANA)
    with imap_client(gmail) as client:
        client.select_folder("INBOX")
        (uid,) = client.gmail_search(f"rfc822msgid:{message_id}")
        client.delete_messages([uid])
        client.expunge()
        assert uid not in client.search()
        assert len(find(client, "[Gmail]/All Mail", message_id)) == 1
        client.select_folder("[Gmail]/All Mail")
        (uid,) = client.gmail_search(f"rfc822msgid:{message_id}")
        client.copy([uid], "[Gmail]/Trash")
        assert find(client, "[Gmail]/Sent Mail", message_id) == []
        client.select_folder("[Gmail]/Trash")
        (uid,) = client.gmail_search(f"rfc822msgid:{message_id}")
        client.delete_messages([uid])
        client.expunge()
        for folder in ("[Gmail]/Trash", "[Gmail]/All Mail", "INBOX"):
            assert find(client, folder, message_id) == []


def test_it_gives_no_uid_twice(gmail: PracticeGmail) -> None:
    first = send(gmail, ANA)
    with imap_client(gmail) as client:
        client.select_folder("INBOX")
        (uid,) = client.gmail_search(f"rfc822msgid:{first}")
        client.delete_messages([uid])
        client.expunge()
        later = find(client, "INBOX", send(gmail, ANA))
        assert later[0] > uid


def test_it_takes_in_what_is_appended(gmail: PracticeGmail) -> None:
    content = mail("cleo@example.org")
    with imap_client(gmail) as client:
        client.append("[Gmail]/Sent Mail", content.encode(), [b"\\Seen"])
        client.append("[Gmail]/Drafts", content.encode())
        message_id = re.search("Message-ID: (.*)\r", content)[1]
        (uid,) = find(client, "[Gmail]/Sent Mail", message_id)
        fetched = client.fetch([uid], ["BODY.PEEK[]", "X-GM-LABELS"])[uid]
        assert fetched[b"BODY[]"] == content.encode()
        assert fetched[b"X-GM-LABELS"] == (b"\\Draft",)
        assert len(find(client, "[Gmail]/All Mail", message_id)) == 1
        with pytest.raises(IMAPClient.Error, match="TRYCREATE"):
            client.append("Nowhere", content.encode())


def test_it_tells_of_new_mail_while_a_client_waits(gmail: PracticeGmail) -> None:
    with imap_client(gmail, BEN) as client:
        count = client.select_folder("INBOX")[b"EXISTS"]
        client.idle()
        send(gmail, BEN)
        assert client.idle_check(timeout=10) == [(count + 1, b"EXISTS")]
        client.idle_done()
        send(gmail, BEN)
        assert (count + 2, b"EXISTS") in client.noop()[1]


def test_it_answers_a_threads_messages_with_one_number(gmail: PracticeGmail) -> None:
    first = send(gmail, "cleo@example.org")
    content = mail("cleo@example.org").replace("\r\nDate:", f"\r\nReferences: {first}\r\nDate:")
    second = send(gmail, "cleo@example.org", content)
    with imap_client(gmail) as client:
        uids = [*find(client, "[Gmail]/All Mail", first)]
        uids += find(client, "[Gmail]/All Mail", second)
        threads = {each[b"X-GM-THRID"] for each in client.fetch(uids, ["X-GM-THRID"]).values()}
        numbers = {each[b"X-GM-MSGID"] for each in client.fetch(uids, ["X-GM-MSGID"]).values()}
        assert (len(threads), len(numbers)) == (1, 2)
        assert client.search(["X-GM-THRID", str(threads.pop())]) == uids


def test_it_knows_no_folders_but_gmails(gmail: PracticeGmail) -> None:
    with imap(gmail) as client:
        for command in ("CREATE", "DELETE", "SUBSCRIBE"):
            assert getattr(client, command.lower())("Mine")[0] == "NO"
        assert client.select("Mine")[0] == "NO"
        assert client.select('"[Gmail]"')[0] == "NO"
        assert client.select("inbox")[0] == "OK"
        assert client.unselect()[0] == "OK"
        assert client.select(ALL_MAIL)[0] == "OK"
        assert client.close()[0] == "OK"


def test_it_names_sent_mail_in_another_language(own_sent_name: PracticeGmail) -> None:
    message_id = send(own_sent_name, "cleo@example.org")
    with imap_client(own_sent_name) as client:
        assert client.find_special_folder(b"\\Sent") == "[Gmail]/Enviados é"
        assert len(find(client, "[Gmail]/Enviados é", message_id)) == 1
    with imap(own_sent_name) as client:
        listed = b"\n".join(client.list()[1])
        assert b'\\Sent) "/" "[Gmail]/Enviados &AOk-"' in listed
        assert client.select('"[Gmail]/Enviados &AOk-"')[0] == "OK"
        assert client.status('"[Gmail]/Enviados &AOk-"', "(MESSAGES)")[1] == [
            b'"[Gmail]/Enviados &AOk-" (MESSAGES 1)'
        ]


@pytest.fixture
def own_sent_name(tmp_path_factory: pytest.TempPathFactory) -> PracticeGmail:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    name = "[Gmail]/Enviados é"
    with PracticeGmail(directory, accounts=[ANA], sent_name=name) as started:
        yield started


def test_it_remembers_folders_flags_and_uids(own_gmail: PracticeGmail) -> None:
    message_id = send(own_gmail, ANA)
    with imap_client(own_gmail) as client:
        before = client.select_folder("INBOX")
        client.add_flags(client.search(), [b"\\Flagged"])
    own_gmail.kill()
    own_gmail.start()
    arrive(own_gmail)
    with imap_client(own_gmail) as client:
        after = client.select_folder("INBOX")
        for key in (b"UIDVALIDITY", b"UIDNEXT", b"EXISTS"):
            assert after[key] == before[key]
        (uid,) = client.gmail_search(f"rfc822msgid:{message_id}")
        assert client.get_flags([uid])[uid] == (b"\\Flagged",)
