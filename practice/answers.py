"""What comes back from a recipient, by the beginning of the address: a report, a reply, nothing.

nobody-ana@example.org   there is no such address
full-...                 the mailbox is full
blocked-...              the recipient's side refuses for policy
gone-...                 there is no such domain
slow-...                 not delivered yet
old-...                  there is no such address, reported as before 2017
gblock-...               Gmail itself blocks the message
limit-...                Gmail reports that a limit is reached
reply-...                a person answers
auto-...                 an absence note answers
stop-...                 the mail program unsubscribes by mail
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from practice import reports
from practice.mailbox import header_of, message_ids
from practice.reports import Kind, Original

REPORTS: dict[str, Kind] = {
    "nobody": reports.NOT_FOUND,
    "full": reports.INBOX_FULL,
    "blocked": reports.BLOCKED_BY_REMOTE,
    "gone": reports.DOMAIN_MISSING,
    "slow": reports.DELAYED,
    "gblock": reports.BLOCKED_BY_GMAIL,
    "limit": reports.LIMIT_REACHED,
}
LONGEST_QUOTE = 2_000


@dataclass(frozen=True)
class Answer:
    """A message to ``to``, ready to lie in a folder."""

    to: str
    content: bytes


def answer_of(recipient: str, account: str, content: bytes, at: datetime) -> Answer | None:
    """What comes back to ``account`` for its message to ``recipient``, dated ``at``."""
    pattern = recipient.lower().partition("-")[0]
    header = header_of(content)
    if pattern in REPORTS or pattern == "old":
        original = Original(content, message_ids(header, "Message-ID")[0], account, at)
        if pattern == "old":
            return Answer(account, reports.old_report(recipient, original))
        return Answer(account, reports.report(REPORTS[pattern], recipient, original))
    if compose := LETTERS.get(pattern):
        return compose(recipient, account, content, at)
    return None


def _human_reply(recipient: str, account: str, content: bytes, at: datetime) -> Answer | None:
    """To the address that Reply-To asks for."""
    header = header_of(content)
    to = parseaddr(str(header.get("Reply-To") or header.get("From", "")))[1]
    letter = _letter(recipient, to, at)
    _answer_in_thread(letter, header, "Re: ")
    letter.set_content(f"Thank you, I will have a look.\n\n{_quoted(content)}")
    return Answer(to, letter.as_bytes())


def _absence_note(recipient: str, account: str, content: bytes, at: datetime) -> Answer | None:
    """RFC 3834: to the envelope's sender, marked as automatic, from nobody."""
    letter = _letter(recipient, account, at)
    _answer_in_thread(letter, header_of(content), "Automatic reply: ")
    letter["Return-Path"] = "<>"
    letter["Auto-Submitted"] = "auto-replied"
    letter["X-Auto-Response-Suppress"] = "All"
    letter.set_content("I am away until Monday and will read your message then.\n")
    return Answer(account, letter.as_bytes())


def _unsubscribe(recipient: str, account: str, content: bytes, at: datetime) -> Answer | None:
    """RFC 2369 section 3.2: by the mailto address of List-Unsubscribe, with the subject there."""
    targets = str(header_of(content).get("List-Unsubscribe", "")).replace("\n", "").split(",")
    mailto = next((each.strip(" <>\t\r") for each in targets if "mailto:" in each.lower()), "")
    if not mailto:
        return None
    parts = urlsplit(mailto)
    fields = {name.lower(): values[0] for name, values in parse_qs(parts.query).items()}
    to = unquote(parts.path)
    letter = _letter(recipient, to, at)
    letter["Subject"] = fields.get("subject", "unsubscribe")
    letter.set_content(fields.get("body", "This message was sent by a mail program.") + "\n")
    return Answer(to, letter.as_bytes())


LETTERS: dict[str, Callable[[str, str, bytes, datetime], Answer | None]] = {
    "reply": _human_reply,
    "auto": _absence_note,
    "stop": _unsubscribe,
}


def _letter(sender: str, to: str, at: datetime) -> EmailMessage:
    domain = sender.rpartition("@")[2]
    letter = EmailMessage(policy=policy.SMTP)
    letter["From"] = sender
    letter["To"] = to
    letter["Date"] = format_datetime(at)
    letter["Message-ID"] = f"<{secrets.token_hex(12)}@{domain}>"
    return letter


def _answer_in_thread(letter: EmailMessage, header: Message, prefix: str) -> None:
    subject = str(header.get("Subject", ""))
    message_id = message_ids(header, "Message-ID")[0]
    references = [*message_ids(header, "References"), message_id]
    letter["Subject"] = f"{prefix}{subject.removeprefix(prefix)}"
    letter["In-Reply-To"] = message_id
    letter["References"] = " ".join(each for each in references if each)


def _quoted(content: bytes) -> str:
    message = message_from_bytes(content, _class=EmailMessage, policy=policy.default)
    part = message.get_body(preferencelist=("plain",))
    try:
        text = str(part.get_content()) if part else ""
    except (LookupError, ValueError):
        text = ""
    return "".join(f"> {line}\n" for line in text[:LONGEST_QUOTE].splitlines())
