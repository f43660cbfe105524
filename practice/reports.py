"""Delivery reports in the form in which Gmail's Mail Delivery Subsystem writes them.

Since 2017 they are multipart/report (RFC 3464) with a text for people and the original, maybe cut
short; before that they were plain text. The forms are those of reports collected in the field, the
words and codes are the ones by which each kind is recognised.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from html import escape

FROM = "Mail Delivery Subsystem <mailer-daemon@googlemail.com>"
# What is left of the original's body in a report, in octets.
ENOUGH = 2_000
RETRIES = timedelta(hours=47)
BY_REMOTE = "The response from the remote server was:"
BY_GMAIL = "The response was:"
# One grey pixel.
ICON = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)


@dataclass(frozen=True)
class Kind:
    """One kind of report. ``{to}`` and ``{domain}`` stand for the recipient's."""

    heading: str
    text: str
    response: str
    status: str
    answered_by: str = BY_REMOTE
    action: str = "failed"
    has_status: bool = True


NOT_FOUND = Kind(
    heading="Address not found",
    text="Your message wasn't delivered to {to} because the address couldn't be found, or is "
    "unable to receive mail.",
    response="550 5.1.1 <{to}>: Recipient address rejected: User unknown",
    status="5.1.1",
)
INBOX_FULL = Kind(
    heading="Recipient inbox full",
    text="Your message couldn't be delivered to {to}. Their inbox is full, or it's getting too "
    "much mail right now.",
    response="552 5.2.2 <{to}>: Mailbox full",
    status="5.2.2",
)
BLOCKED_BY_REMOTE = Kind(
    heading="Message blocked",
    text="Your message to {to} has been blocked. See technical details below for more information.",
    response="550 5.7.1 <{to}>: Message refused by local policy",
    status="5.7.1",
)
DOMAIN_MISSING = Kind(
    heading="Address not found",
    text="Your message wasn't delivered to {to} because the domain {domain} couldn't be found. "
    "Check for typos or unnecessary spaces and try again.",
    response="DNS Error: 41529702 DNS type 'mx' lookup of {domain} responded with code NXDOMAIN\n"
    "Domain name not found: {domain}",
    status="4.0.0",
    answered_by=BY_GMAIL,
)
DELAYED = Kind(
    heading="Delivery incomplete",
    text="There was a temporary problem delivering your message to {to}. Gmail will retry for 47 "
    "more hours. You'll be notified if the delivery fails permanently.",
    response="The recipient server did not accept our requests to connect. Learn more at "
    "https://support.google.com/mail/answer/7720\n[{domain} 192.0.2.1: timed out]",
    status="4.4.1",
    answered_by=BY_GMAIL,
    action="delayed",
)
BLOCKED_BY_GMAIL = Kind(
    heading="Message blocked",
    text="Your message to {to} has been blocked. See technical details below for more information.",
    response="Message rejected. See https://support.google.com/mail/answer/69585 for more "
    "information.",
    status="5.0.0",
    answered_by=BY_GMAIL,
)
LIMIT_REACHED = Kind(
    heading="Message not delivered",
    text="You have reached a limit for sending mail. Your message was not sent.",
    response="",
    status="",
    has_status=False,
)


@dataclass(frozen=True)
class Original:
    """The message that a report is about, as filed, and who sent it when (UTC)."""

    content: bytes
    message_id: str
    account: str
    at: datetime

    @property
    def cut_short(self) -> bytes:
        header, blank, body = self.content.partition(b"\r\n\r\n")
        return header + blank + body[:ENOUGH]


def report(kind: Kind, recipient: str, original: Original) -> bytes:
    """A report of today, multipart/report."""
    domain = recipient.rpartition("@")[2]
    text = kind.text.format(to=recipient, domain=domain)
    response = kind.response.format(to=recipient, domain=domain)
    status = _delivery_status(kind, recipient, response, original) if kind.has_status else ""
    content_type, body = _multipart(
        "report",
        [
            _shown(kind, text, response),
            ("message/delivery-status", [], status.encode()),
            ("message/rfc822", [], original.cut_short),
        ],
        "; report-type=delivery-status",
    )
    failed = [f"X-Failed-Recipients: {recipient}"] if kind.action == "failed" else []
    header = [
        f"Content-Type: {content_type}",
        *_trace(original),
        "Auto-Submitted: auto-replied",
        f"Subject: {_subject(kind)}",
        f"References: {original.message_id}",
        f"In-Reply-To: {original.message_id}",
        *failed,
        f"Message-ID: <{secrets.token_hex(4)}.{secrets.token_hex(4)}.GMRIR@mx.google.com>",
        f"Date: {format_datetime(original.at)}",
    ]
    return _lines(header) + b"\r\n" + body


def old_report(recipient: str, original: Original) -> bytes:
    """A report as before 2017: plain text, with nothing in it that a machine was meant to read."""
    domain = recipient.rpartition("@")[2]
    header = [
        "MIME-Version: 1.0",
        *_trace(original),
        f"X-Failed-Recipients: {recipient}",
        "Subject: Delivery Status Notification (Failure)",
        f"Message-ID: <{secrets.token_hex(14)}@google.com>",
        f"Date: {format_datetime(original.at)}",
        "Content-Type: text/plain; charset=UTF-8",
    ]
    text = [
        "Delivery to the following recipient failed permanently:",
        "",
        f"     {recipient}",
        "",
        "Technical details of permanent failure: ",
        "Google tried to deliver your message, but it was rejected by the server for the "
        f"recipient domain {domain} by mx.{domain}. [192.0.2.1].",
        "",
        "The error that the other server returned was:",
        f"550 5.1.1 <{recipient}>... User unknown",
        "",
        "",
        "----- Original message -----",
        "",
    ]
    return _lines(header) + b"\r\n" + _lines(text) + original.cut_short


# A part: its content type, further header lines, its body.
Part = tuple[str, Sequence[str], bytes]


def _subject(kind: Kind) -> str:
    word = "Delay" if kind.action == "delayed" else "Failure"
    return f"Delivery Status Notification ({word})"


def _trace(original: Original) -> list[str]:
    """Such a report never leaves Gmail's own servers: no line says "from", and none vouches."""
    return [
        f"Delivered-To: {original.account}",
        f"Received: by 2002:a05:6000:1 with SMTP id {secrets.token_hex(6)};",
        f"        {format_datetime(original.at)}",
        "Return-Path: <>",
        f"From: {FROM}",
        f"To: {original.account}",
    ]


def _shown(kind: Kind, text: str, response: str) -> Part:
    """What a person sees: text, the same as HTML, and an icon."""
    response_text = f"\n\n\n{kind.answered_by}\n\n{response}" if response else ""
    plain = f"\n** {kind.heading} **\n\n{text}{response_text}\n"
    told = (
        f"<p>{kind.answered_by}</p><pre>{escape(response, quote=False)}</pre>" if response else ""
    )
    html = (
        '<html><body><img src="cid:icon.png" alt="Error Icon">'
        f"<h2>{kind.heading}</h2><p>{escape(text, quote=False)}</p>{told}</body></html>\n"
    )
    alternative, body = _multipart(
        "alternative",
        [
            ('text/plain; charset="UTF-8"', [], _crlf(plain)),
            ('text/html; charset="UTF-8"', [], _crlf(html)),
        ],
    )
    icon = [
        'Content-Disposition: attachment; filename="icon.png"',
        "Content-Transfer-Encoding: base64",
        "Content-ID: <icon.png>",
    ]
    related, body = _multipart(
        "related",
        [(alternative, [], body), ('image/png; name="icon.png"', icon, _crlf(f"{ICON}\n"))],
    )
    return related, [], body


def _delivery_status(kind: Kind, recipient: str, response: str, original: Original) -> str:
    at = format_datetime(original.at)
    folded = response.replace("\n", "\r\n ")
    remote = kind.answered_by == BY_REMOTE
    lines = [
        "Reporting-MTA: dns; googlemail.com",
        f"Arrival-Date: {at}",
        f"X-Original-Message-ID: {original.message_id}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        f"Action: {kind.action}",
        f"Status: {kind.status}",
        *(["Remote-MTA: dns; 192.0.2.1 (192.0.2.1, the server for the domain.)"] if remote else []),
        f"Diagnostic-Code: smtp; {folded}",
        f"Last-Attempt-Date: {at}",
    ]
    if kind.action == "delayed":
        lines.append(f"Will-Retry-Until: {format_datetime(original.at + RETRIES)}")
    return "\r\n".join([*lines, ""])


def _multipart(subtype: str, parts: Sequence[Part], parameters: str = "") -> tuple[str, bytes]:
    """The content type and the body."""
    boundary = f"00000000{secrets.token_hex(10)}"
    body = b""
    for content_type, header, content in parts:
        body += _lines([f"--{boundary}", f"Content-Type: {content_type}", *header, ""])
        body += content + b"\r\n"
    return f'multipart/{subtype}; boundary="{boundary}"{parameters}', body + _lines(
        [f"--{boundary}--"]
    )


def _lines(lines: Sequence[str]) -> bytes:
    return "".join(f"{line}\r\n" for line in lines).encode()


def _crlf(text: str) -> bytes:
    return text.replace("\n", "\r\n").encode()
