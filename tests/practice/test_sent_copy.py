"""What lies in Sent and in inboxes after a message was accepted: when, once, and by which names."""

import shutil

from tests.practice.clients import ANA, BEN, deliver, logged_in, mail
from tests.practice.mail_clients import arrive, find, imap_client, parsed, send
from tests.practice_gmail import PracticeGmail

SENT = "[Gmail]/Sent Mail"


def test_it_files_a_copy_some_seconds_later(gmail: PracticeGmail) -> None:
    gmail.control(sent_delay=100)
    content = mail("cleo@example.org")
    message_id = content.partition("Message-ID: ")[2].partition("\r")[0]
    with logged_in(gmail) as sender, imap_client(gmail) as client:
        deliver(sender, "cleo@example.org", content)
        gmail.control(clock_offset=90)
        assert find(client, SENT, message_id) == []
        gmail.control(clock_offset=101)
        (uid,) = find(client, SENT, message_id)
        fetched = client.fetch([uid], ["FLAGS", "BODY.PEEK[]", "INTERNALDATE"])[uid]
        assert fetched[b"FLAGS"] == (b"\\Seen",)
        assert parsed(fetched[b"BODY[]"])["Return-Path"] == f"<{ANA}>"
        assert len(find(client, "[Gmail]/All Mail", message_id)) == 1
        assert find(client, "INBOX", message_id) == []


def test_it_files_a_copy_without_being_asked(gmail: PracticeGmail) -> None:
    gmail.control(sent_delay=0.5)
    with imap_client(gmail) as client, logged_in(gmail) as sender:
        client.select_folder(SENT)
        client.idle()
        deliver(sender, "cleo@example.org")
        assert client.idle_check(timeout=10)


def test_it_files_one_copy_of_a_message_that_is_sent_twice(gmail: PracticeGmail) -> None:
    content = mail("cleo@example.org")
    message_id = send(gmail, "cleo@example.org", content)
    send(gmail, "cleo@example.org", content)
    with imap_client(gmail) as client:
        (uid,) = find(client, SENT, message_id)
        client.select_folder(SENT)
        client.copy([uid], "[Gmail]/Trash")
        send(gmail, "cleo@example.org", content)
        assert find(client, SENT, message_id) == []
        assert len(find(client, "[Gmail]/Trash", message_id)) == 1


def test_it_shows_mail_to_oneself_as_one_message_that_is_unread(gmail: PracticeGmail) -> None:
    for sent_delay, answer_delay in ((1, 5), (5, 1)):
        gmail.control(sent_delay=sent_delay, answer_delay=answer_delay)
        message_id = send(gmail, ANA)
        with imap_client(gmail) as client:
            (uid,) = find(client, "[Gmail]/All Mail", message_id)
            fetched = client.fetch([uid], ["FLAGS", "X-GM-LABELS"])[uid]
            assert fetched[b"FLAGS"] == ()
            assert set(fetched[b"X-GM-LABELS"]) == {b"\\Inbox", b"\\Sent"}


def test_it_delivers_to_other_accounts_and_to_their_other_names(gmail: PracticeGmail) -> None:
    gmail.control(aliases={BEN: ["sales@example.org"]})
    for to in (BEN, "b.e.n+x7@gmail.com", "BEN@googlemail.com", "Sales@example.org"):
        message_id = send(gmail, to)
        with imap_client(gmail, BEN) as client:
            (uid,) = find(client, "INBOX", message_id)
            fetched = client.fetch([uid], ["FLAGS", "BODY.PEEK[]"])[uid]
            assert fetched[b"FLAGS"] == ()
            assert parsed(fetched[b"BODY[]"])["Delivered-To"] == to
            assert find(client, SENT, message_id) == []


def test_it_keeps_a_from_that_is_a_verified_alias(gmail: PracticeGmail) -> None:
    content = mail("cleo@example.org").replace(f"<{ANA}>", "<news@example.org>")
    gmail.control(aliases={ANA: ["News@example.org"]})
    kept = send(gmail, "cleo@example.org", content)
    gmail.control(aliases={ANA: []})
    rewritten = send(gmail, "cleo@example.org", content.replace(kept[1:9], "00000000"))
    with imap_client(gmail) as client:
        senders = []
        for message_id in (kept, rewritten):
            (uid,) = find(client, SENT, message_id)
            header = parsed(client.fetch([uid], ["BODY.PEEK[HEADER]"])[uid][b"BODY[HEADER]"])
            senders.append((header["From"], header["X-Google-Original-From"]))
    assert senders == [
        ("Ana <news@example.org>", None),
        (f"Ana <{ANA}>", "Ana <news@example.org>"),
    ]


def test_it_forgets_no_copy_over_a_crash(own_gmail: PracticeGmail) -> None:
    content = mail("nobody-x@example.org")
    message_id = content.partition("Message-ID: ")[2].partition("\r")[0]
    own_gmail.control(sent_delay=1000)
    with logged_in(own_gmail) as sender:
        deliver(sender, "nobody-x@example.org", content)
    own_gmail.kill()
    own_gmail.start()
    assert own_gmail.control()["sent_delay"] == 1000
    own_gmail.control(clock_offset=1001)
    with imap_client(own_gmail) as client:
        assert len(find(client, SENT, message_id)) == 1
        client.select_folder("INBOX")
        assert len(client.search()) == 1


def test_it_files_what_only_the_ledger_knows(own_gmail: PracticeGmail) -> None:
    message_id = send(own_gmail, "cleo@example.org")
    own_gmail.stop()
    for path in own_gmail.directory.glob("folders.sqlite3*"):
        shutil.move(path, path.with_name(f"old-{path.name}"))
    own_gmail.start()
    arrive(own_gmail)
    with imap_client(own_gmail) as client:
        assert len(find(client, SENT, message_id)) == 1
