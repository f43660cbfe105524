"""What comes back by the recipient's name: delivery reports in Gmail's forms, and letters."""

from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from tests.practice.clients import ANA, BEN, mail
from tests.practice.mail_clients import answers_to, find, imap_client, parsed, send
from tests.practice_gmail import PracticeGmail


def status_of(report: EmailMessage) -> EmailMessage:
    """The fields about the recipient in message/delivery-status."""
    (part,) = (each for each in report.walk() if each.get_content_type().endswith("y-status"))
    fields: EmailMessage = part.get_payload()[1]
    return fields


def text_of(report: EmailMessage) -> str:
    part = report.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


@pytest.mark.parametrize(
    ("pattern", "action", "status", "heading", "response"),
    [
        ("nobody", "failed", "5.1.1", "Address not found", "remote server was:\n\n550 5.1.1"),
        ("full", "failed", "5.2.2", "Recipient inbox full", "remote server was:\n\n552 5.2.2"),
        ("blocked", "failed", "5.7.1", "Message blocked", "remote server was:\n\n550 5.7.1"),
        ("gone", "failed", "4.0.0", "Address not found", "The response was:\n\nDNS Error: "),
        ("slow", "delayed", "4.4.1", "Delivery incomplete", "The response was:\n\nThe recipient"),
        ("gblock", "failed", "5.0.0", "Message blocked", "was:\n\nMessage rejected. See https://"),
    ],
)
def test_it_reports_what_became_of_a_message(
    gmail: PracticeGmail, pattern: str, action: str, status: str, heading: str, response: str
) -> None:
    to = f"{pattern}-cleo@example.org"
    message_id = send(gmail, to)
    (report,) = answers_to(gmail, message_id)
    assert report.get_content_type() == "multipart/report"
    assert report.get_param("report-type") == "delivery-status"
    assert parseaddr(report["From"]) == (
        "Mail Delivery Subsystem",
        "mailer-daemon@googlemail.com",
    )
    assert (report["Return-Path"], report["Auto-Submitted"]) == ("<>", "auto-replied")
    assert report["References"] == report["In-Reply-To"] == message_id
    delayed = action == "delayed"
    assert report["X-Failed-Recipients"] == (None if delayed else to)
    word = "Delay" if delayed else "Failure"
    assert report["Subject"] == f"Delivery Status Notification ({word})"
    fields = status_of(report)
    assert fields["Final-Recipient"] == f"rfc822; {to}"
    assert (fields["Action"], fields["Status"]) == (action, status)
    assert ("Will-Retry-Until" in fields) == delayed
    assert ("Remote-MTA" in fields) == ("remote server" in response)
    assert f"** {heading} **" in text_of(report)
    assert response in text_of(report).replace("\r\n", "\n")
    (original,) = (each for each in report.walk() if each["Message-ID"] == message_id)
    assert original["To"] == to


def test_it_reports_by_mail_that_a_limit_is_reached(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "limit-cleo@example.org")
    (report,) = answers_to(gmail, message_id)
    sentence = "You have reached a limit for sending mail. Your message was not sent."
    assert sentence in text_of(report)
    (empty,) = (each for each in report.walk() if each.get_content_type().endswith("y-status"))
    assert empty.as_bytes().partition(b"\n\n")[2].strip() == b""
    with imap_client(gmail) as client:
        assert len(find(client, "[Gmail]/Sent Mail", message_id)) == 1


def test_it_reports_in_plain_text_as_it_did_before_2017(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "old-cleo@example.org")
    with imap_client(gmail) as client:
        client.select_folder("INBOX", readonly=True)
        (uid,) = client.search(["HEADER", "X-Failed-Recipients", "old-cleo@example.org"])
        report = parsed(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"])
    assert report.get_content_type() == "text/plain"
    assert "In-Reply-To" not in report
    text = text_of(report).replace("\r\n", "\n")
    assert text.startswith("Delivery to the following recipient failed permanently:\n\n     old-")
    assert f"----- Original message -----\n\nReturn-Path: <{ANA}>\n" in text
    assert f"Message-ID: {message_id}" in text


def test_it_cuts_a_long_original_short(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "nobody-long@example.org", text="\r\n".join(["line"] * 5_000))
    (report,) = answers_to(gmail, message_id)
    assert len(report.as_bytes()) < 10_000


def test_it_answers_as_a_person_does(gmail: PracticeGmail) -> None:
    content = mail("reply-cleo@example.org", "Zebras").replace(
        "\r\nDate:", f"\r\nReply-To: Ben <{BEN}>\r\nReferences: <a@b>\r\nDate:"
    )
    message_id = send(gmail, "reply-cleo@example.org", content)
    assert answers_to(gmail, message_id) == []
    (letter,) = answers_to(gmail, message_id, BEN)
    assert (letter["From"], letter["To"]) == ("reply-cleo@example.org", BEN)
    assert letter["Subject"] == "Re: Zebras"
    assert letter["References"] == f"<a@b> {message_id}"
    assert "> A line." in text_of(letter)
    assert "Auto-Submitted" not in letter


def test_it_keeps_an_answer_in_its_thread(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "reply-dora@example.org")
    with imap_client(gmail) as client:
        client.select_folder("[Gmail]/All Mail", readonly=True)
        uids = client.search(["OR", "HEADER", "Message-ID", message_id, ["TEXT", message_id]])
        threads = client.fetch(uids, ["X-GM-THRID"]).values()
        assert len(uids) == 2
        assert len({each[b"X-GM-THRID"] for each in threads}) == 1


def test_it_answers_as_an_absence_note_does(gmail: PracticeGmail) -> None:
    message_id = send(gmail, "auto-cleo@example.org")
    (letter,) = answers_to(gmail, message_id)
    assert (letter["Auto-Submitted"], letter["Return-Path"]) == ("auto-replied", "<>")
    assert letter["Subject"] == "Automatic reply: Hello"


def test_it_unsubscribes_by_mail_as_the_header_asks(gmail: PracticeGmail) -> None:
    header = "<https://example.org/u/1>,\r\n <mailto:ana+k3f9@gmail.com?subject=unsubscribe%20k3f9>"
    content = mail("stop-cleo@example.org").replace(
        "\r\nDate:", f"\r\nList-Unsubscribe: {header}\r\nDate:"
    )
    send(gmail, "stop-cleo@example.org", content)
    with imap_client(gmail) as client:
        client.select_folder("INBOX", readonly=True)
        (uid,) = client.search(["TO", "ana+k3f9@gmail.com"])
        letter = parsed(client.fetch([uid], ["BODY.PEEK[]"])[uid][b"BODY[]"])
    assert letter["Subject"] == "unsubscribe k3f9"
    assert letter["From"] == "stop-cleo@example.org"


def test_it_sends_nothing_to_where_it_cannot_deliver(gmail: PracticeGmail) -> None:
    with imap_client(gmail) as client:
        before = client.folder_status("INBOX", ["MESSAGES"])
        for unsubscribe in ("<https://example.org/u/1>", "<mailto:off@example.org>", "mailto:"):
            field = f"\r\nList-Unsubscribe: {unsubscribe}\r\nDate:"
            to = "stop-cleo@example.org"
            send(gmail, to, mail(to).replace("\r\nDate:", field))
        send(gmail, "nobodyelse@example.org")
        assert client.folder_status("INBOX", ["MESSAGES"]) == before


def test_it_survives_a_message_that_no_one_can_read(gmail: PracticeGmail) -> None:
    nonsense = "From: =?x?q?=\r\nReply-To: <<>,;\r\nSubject: \x01=?utf-8?b?!?=\r\n\r\n\r\n"
    for pattern in ("reply", "auto", "stop", "nobody", "old"):
        send(gmail, f"{pattern}-x@example.org", nonsense)
    assert len(answers_to(gmail, send(gmail, "nobody-y@example.org"))) == 1
