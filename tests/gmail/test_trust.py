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
    ],
)
def test_it_believes_gmails_own_reports_alone(header: str, own: bool) -> None:
    assert trust.is_gmails_own(message_from_string(header + "\nbody")) is own


@pytest.mark.parametrize(
    ("methods", "domain", "is_from"),
    [
        (["dkim=pass header.i=@example.org"], "example.org", True),
        (["dkim=pass header.i=@mx.example.org"], "example.org", True),
        (["spf=pass smtp.helo=mx.example.org"], "example.org", True),
        (["spf=pass (a (b) c) smtp.mailfrom=bounce@example.org"], "news.example.org", True),
        (["dmarc=pass (p=NONE) header.from=example.org"], "example.org", True),
        (["dkim=pass header.i=@example.net"], "example.org", False),
        (["dkim=fail header.i=@example.org"], "example.org", False),
        (["dkim=pass header.i=@org"], "example.org", False),
        (["dkim=pass header.i=@notexample.org"], "example.org", False),
        ([], "example.org", False),
    ],
)
def test_it_tells_whose_servers_a_mail_comes_from(
    methods: list[str], domain: str, is_from: bool
) -> None:
    mail = message_from_string(results(*methods) + "From: x@example.org\n\nbody")
    assert trust.is_from(mail, domain) is is_from
