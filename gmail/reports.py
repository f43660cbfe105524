"""A delivery report -> what became of which recipient, and of which of our messages. Pure.

Sources: RFC 3464 (the machine-readable part), RFC 3463 (enhanced status codes), RFC 6522
(multipart/report), and what Gmail's mailer-daemon is known to write, in plain text before 2017.
Written for the form: nothing here knows a language but by the few words that servers use anyway.
Whether a report is to be believed is asked elsewhere: anybody can write one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.message import Message
from email.parser import HeaderParser

from gmail.failures import Failure, Verdict
from gmail.replies import fit_to_keep


@dataclass(frozen=True)
class Report:
    """`recipient` is the address that was written to, `said` the reason in the words of whoever
    gave it, `status` their enhanced code (RFC 3463), like "5.1.1". `by_gmail`: Gmail itself would
    not have it, and the recipient's side never saw it. `message_ids` are those of our message, with
    angle brackets, most reliable first.
    """

    verdict: Verdict
    recipient: str | None = None
    said: str = ""
    status: str = ""
    by_gmail: bool = False
    message_ids: tuple[str, ...] = ()


# A report tells all it has to tell within its first parts.
MOST_PARTS = 60
MOST_RECIPIENTS = 100
LONGEST_TEXT = 64_000


def read(raw: bytes) -> tuple[Report, ...]:
    """One report for each recipient that the mail `raw` reports on; none where it is no report."""
    try:
        return of(message_from_bytes(raw))
    except (RecursionError, LookupError, ValueError):
        # Nested without end, or cut in a way that the parser gives up on: it tells nothing.
        return ()


def of(mail: Message) -> tuple[Report, ...]:
    """The same of a mail that was taken apart. May raise what the parser raises."""
    return _read(mail, _Parts(mail))


def _read(mail: Message, parts: _Parts) -> tuple[Report, ...]:
    status = parts.delivery_status
    if status is None and not _is_from_a_mailer(mail):
        return ()
    ids = _message_ids(mail, parts)
    reports = [replace(each, message_ids=ids) for each in _of_fields(status or [], parts.text)]
    if not reports:
        reports = [replace(each, message_ids=ids) for each in _of_text(mail, parts.text)]
    return tuple(each for each in reports if each.verdict is not Verdict.NONE)


# --- The parts of the mail -----------------------------------------------------------------------


class _Parts:
    """`text` in plain words, `delivery_status` as groups of fields, `original` as far as it came.

    Not those of a mail within the mail: who forwards a report reports nothing.
    """

    def __init__(self, mail: Message) -> None:
        self.text = ""
        self.original: Message | None = None
        self.delivery_status: list[Message] | None = None
        for part in _own_parts(mail):
            kind = part.get_content_type()
            if kind == "message/delivery-status" and self.delivery_status is None:
                self.delivery_status = _groups(part)
            elif kind in ("message/rfc822", "message/global") and self.original is None:
                inner = part.get_payload()
                if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                    self.original = inner[0]
            elif kind in ("text/rfc822-headers", "message/global-headers") and not self.original:
                self.original = HeaderParser().parsestr(_decoded(part))
            elif kind == "text/plain" and not self.text:
                self.text = _decoded(part)
            elif part.get_content_maintype() == "multipart" and not part.is_multipart():
                # Its boundary is lost: all of it is one text.
                self.text = self.text or str(part.get_payload())[:LONGEST_TEXT]
                self.delivery_status = self.delivery_status or _groups_within(self.text)


_RECIPIENT_FIELD = re.compile(r"^(Final|Original)-Recipient:", re.MULTILINE | re.IGNORECASE)


def _own_parts(mail: Message) -> Iterator[Message]:
    """In their order, a part before its parts."""
    waiting, seen = [mail], 0
    while waiting and seen < MOST_PARTS:
        part = waiting.pop(0)
        seen += 1
        yield part
        inner = part.get_payload()
        if part.get_content_maintype() == "multipart" and isinstance(inner, list):
            waiting = [*inner, *waiting]


def _groups(part: Message) -> list[Message]:
    """The fields of the message, then those of each recipient (RFC 3464 section 2.1)."""
    inner = part.get_payload()
    if isinstance(inner, list):
        return [group for group in inner if isinstance(group, Message)]
    blocks = re.split(r"\r?\n\r?\n", _decoded(part))
    return [HeaderParser().parsestr(block) for block in blocks if block.strip()]


def _groups_within(text: str) -> list[Message] | None:
    """Those that stand somewhere in `text`."""
    found = [block for block in re.split(r"\r?\n\r?\n", text) if _RECIPIENT_FIELD.search(block)]
    return [HeaderParser().parsestr(block) for block in found] or None


def _decoded(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    payload = payload[:LONGEST_TEXT]
    try:
        return payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return payload.decode("utf-8", "replace")


def _field(fields: Message, name: str) -> str:
    return " ".join(str(fields.get(name, "")).split())


# --- Whose it is ---------------------------------------------------------------------------------

_MAILER = re.compile(r"\b(mailer-daemon|postmaster)@", re.IGNORECASE)
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_PART = r"[^\s\x00-\x1f\x7f\ud800-\udfff<>()\",:;@]"
_ADDRESS = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,255}}")
_ORIGINAL = re.compile(r"^-{3,} ?(Original message|Message header follows) ?-{3,}\s*$", re.M | re.I)
# A line of its own, indented, names whom it is about.
_OWN_LINE = re.compile(rf"^[ \t]+<?({_PART}{{1,64}}@{_PART}{{1,255}})>?[ \t]*$", re.M)


def _is_from_a_mailer(mail: Message) -> bool:
    return _MAILER.search(_field(mail, "From")) is not None


def _message_ids(mail: Message, parts: _Parts) -> tuple[str, ...]:
    """What the report calls our message; a thread's other ids come last."""
    values = [_field(group, "X-Original-Message-ID") for group in parts.delivery_status or []]
    if parts.original is not None:
        # What Gmail put in place of ours, ours stands beside.
        values.append(_field(parts.original, "X-Google-Original-Message-ID"))
        values.append(_field(parts.original, "Message-ID"))
    cut = _ORIGINAL.search(parts.text)
    if cut is not None:
        quoted = HeaderParser().parsestr(parts.text[cut.end() :].lstrip())
        values.append(_field(quoted, "Message-ID"))
    values += [_field(mail, "In-Reply-To"), " ".join(reversed(_ids(_field(mail, "References"))))]
    return tuple(dict.fromkeys(each for value in values for each in _ids(value)))


def _ids(value: str) -> list[str]:
    return _MESSAGE_ID.findall(value)


# --- With a machine-readable part ----------------------------------------------------------------


def _of_fields(groups: list[Message], text: str) -> Iterator[Report]:
    for group in groups[:MOST_RECIPIENTS]:
        action = _field(group, "Action").lower()
        recipient = _address(_field(group, "Original-Recipient")) or _address(
            _field(group, "Final-Recipient")
        )
        if not action and recipient is None:
            continue
        diagnostic = _after_type(_field(group, "Diagnostic-Code"))
        failure = Failure(
            status=_field(group, "Status"),
            diagnostic=diagnostic,
            text=_without_original(text),
            remote=bool(_field(group, "Remote-MTA")),
        )
        if action == "delayed":
            verdict = Verdict.DELAY
        elif action in ("delivered", "relayed", "expanded"):
            verdict = Verdict.NONE
        else:
            verdict = failure.verdict
        yield Report(
            verdict=verdict,
            recipient=recipient,
            said=fit_to_keep(diagnostic or _sentence(failure.text)),
            status=failure.code,
            by_gmail=failure.is_by_gmail,
        )


def _address(value: str) -> str | None:
    """Of a field like "rfc822; ana@example.org" (RFC 3464 section 2.3.2)."""
    found = _ADDRESS.search(_after_type(value))
    return found[0].lower() if found else None


def _after_type(value: str) -> str:
    kind, semicolon, rest = value.partition(";")
    return rest.strip() if semicolon and len(kind) < 20 else value


# --- In plain text alone -------------------------------------------------------------------------

_DELAY_WORDS = re.compile(
    r"has been delayed|delivery (incomplete|is delayed|delayed)|warning message only"
    r"|will (be )?retr(y|ied) for|still (being )?tr(ied|ying)",
    re.IGNORECASE,
)
_DELAY_SUBJECT = re.compile(r"\((Delay|Warning)\)|\bdelayed\b", re.IGNORECASE)
_FAILURE_WORDS = re.compile(
    r"fail(ed|ure)|undeliver|not (be )?deliver|wasn't delivered|returned|rejected|not sent",
    re.IGNORECASE,
)


def _of_text(mail: Message, text: str) -> Iterator[Report]:
    own = _without_original(text)
    failed = _ADDRESS.findall(_field(mail, "X-Failed-Recipients"))
    named = failed or _OWN_LINE.findall(own)
    recipients = list(dict.fromkeys(each.lower() for each in named))[:MOST_RECIPIENTS] or [None]
    subject = _field(mail, "Subject")
    failure = Failure(status="", diagnostic=_remote_words(own), text=own, remote=_REMOTE in own)
    if not failed and (_DELAY_SUBJECT.search(subject) or _DELAY_WORDS.search(own)):
        verdict = Verdict.DELAY
    elif failed or failure.is_limit or (_FAILURE_WORDS.search(subject) and recipients[0]):
        verdict = failure.verdict
    else:
        return
    for recipient in recipients:
        yield Report(
            verdict=verdict,
            recipient=recipient,
            said=fit_to_keep(failure.diagnostic or _sentence(own)),
            status=failure.code,
            by_gmail=failure.is_by_gmail,
        )


_REMOTE = "other server returned"
_AFTER = re.compile(
    r"(?:other server returned was|Technical details of (?:permanent|temporary) failure):\s*(.*)",
    re.DOTALL | re.IGNORECASE,
)


def _without_original(text: str) -> str:
    cut = _ORIGINAL.search(text)
    return text[: cut.start()] if cut else text


def _remote_words(own: str) -> str:
    """What the other server said, or why it could not be reached."""
    found = _AFTER.search(own)
    if found is None:
        return ""
    # What the server said stands within the details, where Google gives both.
    inner = _AFTER.search(found[1])
    return " ".join((inner or found)[1].split())


def _sentence(text: str) -> str:
    """What a person would read first, where nobody gave a reason."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("**")), "")
