"""Delivery reports: real ones, and the forms that real ones may take."""

import json
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings

from gmail import reports
from gmail.failures import Verdict
from gmail.reports import Report

# They lie beside the repository where it is worked on, and are not a part of it.
SAMPLES = Path(settings.BASE_DIR).parent / "shared" / "samples" / "bounces"
OURS = "<one@gmail.com>"


def report(
    *groups: str,
    text: str = "",
    subject: str = "Delivery Status Notification (Failure)",
    original: str = f"Message-ID: {OURS}\nSubject: Hello\n",
) -> bytes:
    """As Gmail's mailer-daemon writes it, with these groups of fields."""
    mail = EmailMessage()
    mail["From"] = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
    mail["Subject"] = subject
    mail.set_content(text or "See below.")
    mail.make_mixed()
    mail.set_type("multipart/report")
    head = str(mail)
    boundary = mail.get_boundary()
    head = head[: head.rindex(f"--{boundary}--")]
    fields = "\n\n".join(("Reporting-MTA: dns; googlemail.com", *groups))
    parts = (f"message/delivery-status\n\n{fields}\n", f"message/rfc822\n\n{original}\n")
    body = "".join(f"--{boundary}\nContent-Type: {part}\n" for part in parts)
    return f"{head}{body}--{boundary}--\n".encode()


def failed(diagnostic: str, *, status: str = "5.0.0", to: str = "ben@example.org") -> str:
    remote = "" if diagnostic.startswith("DNS") else "Remote-MTA: dns; mx.example.org\n"
    return (
        f"Final-Recipient: rfc822; {to}\nAction: failed\nStatus: {status}\n{remote}"
        f"Diagnostic-Code: smtp; {diagnostic}"
    )


def one(raw: bytes) -> Report:
    (found,) = reports.read(raw)
    return found


def test_it_reads_what_gmail_has_really_written() -> None:
    for path in sorted(SAMPLES.glob("*.eml")):
        expected = json.loads((SAMPLES / "expected.json").read_text())[path.name]
        found = reports.read(path.read_bytes())
        if expected["verdict"] == "none":
            assert found == (), path.name
            continue
        told = [(each.verdict, each.recipient) for each in found]
        assert told == [(expected["verdict"], expected["recipient"])], path.name
        assert found[0].message_ids and found[0].said, path.name


@pytest.mark.parametrize(
    ("said", "status", "verdict"),
    [
        ("550 5.1.1 The email account that you tried to reach does not exist.", "5.1.1", "hard"),
        ("550 : User unknown", "5.0.0", "hard"),
        ("554 5.1.2 Bad destination host", "5.1.2", "hard"),
        ("DNS Error: DNS type 'mx' lookup of x.org responded with code NXDOMAIN", "4.0.0", "hard"),
        ("DNS Error: DNS type 'mx' lookup of x.org responded with code SERVFAIL", "4.0.0", "soft"),
        ("552 5.2.2 The email account that you tried to reach is over quota.", "5.2.2", "soft"),
        ("550 5.1.1 <ben@example.org>... Mailbox full", "5.1.1", "soft"),
        ("550 5.2.1 The email account that you tried to reach is disabled.", "5.2.1", "soft"),
        ("452 4.3.1 Insufficient system storage", "4.3.1", "soft"),
        ("The recipient server did not accept our requests to connect.", "4.4.1", "soft"),
        ("550 something that nobody has heard of", "5.0.0", "soft"),
        ("550 5.7.1 Access denied", "5.7.1", "blocked"),
        ("554 5.7.1 Service unavailable; Client host blocked using zen", "5.7.1", "blocked"),
        ("501 5.1.8 Sender address rejected", "5.1.8", "blocked"),
        ("550 5.1.1 rejected as spam", "5.1.1", "blocked"),
        ("552 5.3.4 Message too big for system", "5.3.4", "blocked"),
    ],
)
def test_it_knows_what_a_failure_means(said: str, status: str, verdict: str) -> None:
    found = one(report(failed(said, status=status)))
    assert (found.verdict, found.recipient, found.by_gmail) == (verdict, "ben@example.org", False)
    assert found.said == said
    assert found.message_ids == (OURS,)


def test_it_takes_the_code_of_whoever_refused() -> None:
    assert one(report(failed("550 #5.1.0 Address rejected.", status="5.0.0"))).status == "5.1.0"
    assert one(report(failed("550 : User unknown", status="5.0.0"))).status == "5.0.0"


def test_it_believes_no_heading_against_the_reason() -> None:
    """Gmail heads whatever is refused at RCPT with "Address not found"."""
    text = "** Address not found **\n\nYour message wasn't delivered to ben@example.org."
    assert one(report(failed("501 5.1.8 Bad sender"), text=text)).verdict is Verdict.BLOCKED
    nothing_said = "Final-Recipient: rfc822; ben@example.org\nAction: failed\nStatus: 5.0.0"
    assert one(report(nothing_said, text=text)).verdict is Verdict.HARD


def test_it_names_each_recipient_apart() -> None:
    groups = failed("550 5.1.1 No such user"), failed("552 5.2.2 Full", to="eve@example.org")
    found = [(each.recipient, each.verdict) for each in reports.read(report(*groups))]
    assert found == [("ben@example.org", "hard"), ("eve@example.org", "soft")]


def test_it_names_whom_we_wrote_to_and_not_where_it_was_passed_on() -> None:
    group = "Original-Recipient: rfc822;Ben@Example.org\n" + failed(
        "550 5.1.1 No such user", to="ben@elsewhere.example"
    )
    assert one(report(group)).recipient == "ben@example.org"


def test_it_reports_no_success() -> None:
    fine = "Final-Recipient: rfc822; ben@example.org\nAction: delivered\nStatus: 2.0.0"
    assert reports.read(report(fine)) == ()


def test_it_takes_a_delay_for_one_whatever_it_says() -> None:
    group = failed("450 4.1.1 User unknown").replace("failed", "delayed")
    assert one(report(group)).verdict is Verdict.DELAY


def test_it_knows_a_block_by_gmail_from_one_by_the_other_side() -> None:
    words = "Message rejected. See https://support.google.com/mail/answer/69585 for more."
    ours = (
        f"Final-Recipient: rfc822; ben@example.org\nAction: failed\nDiagnostic-Code: smtp; {words}"
    )
    theirs = failed(f"550 5.7.1 {words}", status="5.7.1")
    assert [(one(report(each)).verdict, one(report(each)).by_gmail) for each in (ours, theirs)] == [
        ("blocked", True),
        ("blocked", False),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "You have reached a limit for sending mail. Your message was not sent.",
        "Sie haben ein Limit erreicht: https://support.google.com/mail/answer/22839",
    ],
)
@pytest.mark.parametrize(
    "groups", [(), ("Final-Recipient: rfc822; ben@example.org\nAction: failed",)]
)
def test_it_knows_a_limit_notice_in_any_language(text: str, groups: tuple[str, ...]) -> None:
    found = one(report(*groups, text=text))
    assert (found.verdict, found.by_gmail, found.message_ids) == (Verdict.LIMIT, True, (OURS,))


def test_it_does_not_take_another_servers_limit_for_ours() -> None:
    said = "550 5.4.5 Daily sending quota exceeded, see answer/22839"
    assert one(report(failed(said))).verdict is not Verdict.LIMIT


def test_it_finds_our_message_where_the_original_is_cut_short() -> None:
    raw = report(failed("550 5.1.1 No such user"), original="Received: by mx")
    assert one(raw).message_ids == ()
    group = failed("550 5.1.1 No such user") + f"\nX-Original-Message-ID: {OURS}"
    assert one(report(group, original="Received: by mx")).message_ids == (OURS,)
    threaded = raw.replace(b"Subject:", f"In-Reply-To: {OURS}\nSubject:".encode(), 1)
    assert one(threaded).message_ids == (OURS,)


def test_it_is_not_misled_by_a_report_that_somebody_passes_on() -> None:
    mail = EmailMessage()
    mail["From"] = "ana@example.org"
    mail["Subject"] = "Fwd: Delivery Status Notification (Failure)"
    mail.set_content("What is this?\n\n    ben@example.org\n")
    inner = EmailMessage()
    inner.set_content("550 5.1.1 User unknown")
    mail.add_attachment(inner)
    assert reports.read(mail.as_bytes()) == ()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda raw: raw[: len(raw) // 2],
        lambda raw: raw.replace(b"boundary=", b"broken="),
        lambda raw: raw.replace(b'charset="utf-8"', b'charset="no-such-thing"'),
        lambda raw: raw.replace(b"See below.", b"\xff\xfe\x00" * 1000),
        lambda raw: raw.replace(b"Final-Recipient", b"=?utf-8?b?" + b"A" * 100_000),
        lambda raw: b"",
        lambda raw: b"\x00" * 1000,
    ],
)
def test_it_is_not_upset_by_what_is_broken(break_it) -> None:
    for each in reports.read(break_it(report(failed("550 5.1.1 No such user")))):
        assert each.verdict is not Verdict.HARD or each.recipient in (None, "ben@example.org")


def test_it_reads_fields_whose_boundary_is_lost() -> None:
    raw = report(failed("550 5.1.1 No such user"))
    raw = raw.replace(b'boundary="', b'boundary="not-', 1)
    assert (one(raw).verdict, one(raw).recipient) == (Verdict.HARD, "ben@example.org")


def test_it_looks_into_no_nest_without_end() -> None:
    head = "From: mailer-daemon@googlemail.com\nSubject: Failure\n"
    nested = "".join(
        f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(5_000)
    )
    assert reports.read(f"{head}{nested}\n".encode()) == ()
