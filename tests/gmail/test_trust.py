"""Who vouches for a mail, by what Gmail wrote above it."""

from email import message_from_string

import pytest

from gmail import trust

PASSED = (
    "Authentication-Results: mx.google.com;\n"
    "       dkim=pass header.i=@googlemail.com header.s=20230601 header.b=Vq;\n"
    "       spf=pass (google.com: best guess record for domain of postmaster@mail.google.com\n"
    "       designates 209.85.220.69 as permitted sender) smtp.helo=mail-sor-f69.google.com;\n"
    "       dmarc=pass (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from=googlemail.com\n"
)
HANDED_OVER = "Received: from mail.example.net (mail.example.net [192.0.2.7])\n by mx.google.com\n"
INSIDE = "Received: by 2002:a05:6000:1 with SMTP id abc;\n Mon, 2 Nov 2026 10:00:00 -0800 (PST)\n"
DAEMON = "From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>\n"


def results(*methods: str, server: str = "mx.google.com") -> str:
    return f"Authentication-Results: {'; '.join((server, *methods))}\n"


@pytest.mark.parametrize(
    ("header", "own"),
    [
        (PASSED + HANDED_OVER + DAEMON, True),
        (INSIDE + DAEMON, True),
        (results("dkim=pass header.d=google.com") + DAEMON, True),
        (results("dmarc=pass header.from=googlemail.com", server="mx.google.com 1") + DAEMON, True),
        # From the mailer-daemon of somebody else.
        (PASSED + "From: mailer-daemon@example.net\n", False),
        (INSIDE + "From: mailer-daemon@googlemail.com.example.net\n", False),
        (INSIDE + "From: somebody@googlemail.com\n", False),
        # Handed over by another server, and nobody vouches.
        (HANDED_OVER + DAEMON, False),
        (INSIDE + HANDED_OVER + DAEMON, False),
        (DAEMON, False),
        (
            results("dkim=fail header.i=@googlemail.com", "dmarc=fail header.from=googlemail.com")
            + DAEMON,
            False,
        ),  # fmt: skip
        (results("dkim=pass header.i=@example.net") + DAEMON, False),
        # SPF says who handed it over, not whom it is from.
        (results("spf=pass smtp.mailfrom=x@googlemail.com") + DAEMON, False),
        # Written by whoever sent it, below what Gmail found, or under another server's name.
        (results("dkim=none") + PASSED + DAEMON, False),
        (
            results("dkim=pass header.d=googlemail.com", server="mx.google.com.example") + DAEMON,
            False,
        ),  # fmt: skip
        # A sender's address that looks like a result.
        (
            results('spf=pass smtp.mailfrom="x; dkim=pass header.d=googlemail.com"@evil.example')
            + DAEMON,
            False,
        ),  # fmt: skip
        (
            results('spf=none smtp.mailfrom="; dmarc=pass header.from=googlemail.com') + DAEMON,
            False,
        ),  # fmt: skip
        (results("spf=none (x) ; dmarc=pass header.from=googlemail.com) a") + DAEMON, False),
        # A local part that begins like a domain.
        (results("dkim=pass header.i=google.com=x@evil.example") + DAEMON, False),
        (results("dkim=pass header.i=@google.com.evil.example") + DAEMON, False),
        (results("dkim=pass header.i=@evil.example header.x=header.i=@google.com") + DAEMON, False),
        # Two of them: a signature holds for one, a program shows the other.
        (PASSED + DAEMON + DAEMON, False),
        (INSIDE + DAEMON + "From: x@evil.example\n", False),
    ],
)
def test_it_believes_gmails_own_reports_alone(header: str, own: bool) -> None:
    assert trust.is_gmails_own(message_from_string(header + "\nbody")) is own


ORG = "From: MAILER-DAEMON@mx.example.org\n"


@pytest.mark.parametrize(
    ("header", "domain", "is_theirs"),
    [
        (results("dkim=pass header.i=@example.org") + ORG, "example.org", True),
        (results("dkim=pass header.i=@mx.example.org") + ORG, "example.org", True),
        (results("spf=pass (a (b) c) smtp.helo=mx.example.org") + ORG, "example.org", True),
        (results("dmarc=pass (p=NONE) header.from=example.org")
         + "From: postmaster@example.org\n", "Example.org", True),
        (results("dkim=pass header.i=@example.net") + ORG, "example.org", False),
        (results("dkim=fail header.i=@example.org") + ORG, "example.org", False),
        (results("dkim=pass header.i=@org") + ORG, "example.org", False),
        (results("dkim=pass header.i=@notexample.org") + ORG, "example.org", False),
        (results("spf=pass smtp.mailfrom=example.org=x@evil.example") + ORG, "example.org", False),
        # One of its people.
        (results("dkim=pass header.i=@example.org") + "From: bob@example.org\n", "example.org",
         False),
        # Everybody's neighbour: Gmail reports on its own addresses itself.
        (results("dkim=pass header.i=@gmail.com") + "From: postmaster@gmail.com\n", "gmail.com",
         False),
        (ORG, "example.org", False),
    ],
)  # fmt: skip
def test_it_tells_whose_servers_report(header: str, domain: str, is_theirs: bool) -> None:
    assert trust.is_report_of(message_from_string(f"{header}\nbody"), domain) is is_theirs


@pytest.mark.parametrize(
    ("header", "proven"),
    [
        (results("dkim=pass header.i=@example.org"), True),
        (results("dmarc=pass header.from=example.org"), True),
        (results("spf=pass smtp.helo=example.org"), False),
        (results("dkim=pass header.i=@evil.example"), False),
        ("", False),
    ],
)
def test_it_tells_whether_the_sender_is_proven(header: str, proven: bool) -> None:
    mail = message_from_string(f"{header}From: Ana <ana@example.org>\n\nbody")
    assert trust.is_authentic(mail) is proven


def test_it_knows_the_one_it_was_written_to() -> None:
    assert trust.addressed_to(message_from_string("To: A <A@b.example>\n\n")) == "a@b.example"
    assert trust.addressed_to(message_from_string("To: a@b.example\nTo: c@d.example\n\n")) == ""
