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
from enum import StrEnum

from gmail.replies import fit_to_keep


class Verdict(StrEnum):
    """What a report says of one recipient. The first that is certain decides."""

    # The address, or its domain, does not exist.
    HARD = "hard"
    # This message failed; the address may be fine.
    SOFT = "soft"
    # Refused for what it is or whom it comes from; the address may be fine.
    BLOCKED = "blocked"
    # Not delivered yet, and still being tried.
    DELAY = "delay"
    # Gmail's sending limit: it was not sent at all, although Gmail had accepted it.
    LIMIT = "limit"
    # No delivery report, or one that says that all is well.
    NONE = "none"


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
        mail = message_from_bytes(raw)
        return _read(mail, _Parts(mail))
    except (RecursionError, LookupError, ValueError):
        # Nested without end, or cut in a way that the parser gives up on: it tells nothing.
        return ()


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
_ADDRESS = re.compile(r"[^\s<>()\",:;@]{1,64}@[^\s<>()\",:;@]{1,255}")
_ORIGINAL = re.compile(r"^-{3,} ?(Original message|Message header follows) ?-{3,}\s*$", re.M | re.I)
# A line of its own, indented, names whom it is about.
_OWN_LINE = re.compile(r"^[ \t]+<?([^\s<>()\",:;@]{1,64}@[^\s<>()\",:;@]{1,255})>?[ \t]*$", re.M)


def _is_from_a_mailer(mail: Message) -> bool:
    return _MAILER.search(_field(mail, "From")) is not None


def _message_ids(mail: Message, parts: _Parts) -> tuple[str, ...]:
    """What the report calls our message; a thread's other ids come last."""
    values = [_field(group, "X-Original-Message-ID") for group in parts.delivery_status or []]
    if parts.original is not None:
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
        fields = _Fields(
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
            verdict = _of_failure(fields)
        yield Report(
            verdict=verdict,
            recipient=recipient,
            said=fit_to_keep(diagnostic or _sentence(fields.text)),
            status=_status(fields),
            by_gmail=verdict is Verdict.LIMIT or _is_by_gmail(fields),
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
    fields = _Fields(status="", diagnostic=_remote_words(own), text=own, remote=_REMOTE in own)
    if not failed and (_DELAY_SUBJECT.search(subject) or _DELAY_WORDS.search(own)):
        verdict = Verdict.DELAY
    elif failed or _is_limit(fields) or (_FAILURE_WORDS.search(subject) and recipients[0]):
        verdict = _of_failure(fields)
    else:
        return
    for recipient in recipients:
        yield Report(
            verdict=verdict,
            recipient=recipient,
            said=fit_to_keep(fields.diagnostic or _sentence(own)),
            status=_status(fields),
            by_gmail=verdict is Verdict.LIMIT or _is_by_gmail(fields),
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
    found = None
    for found in _AFTER.finditer(own):
        inner = _AFTER.search(found[1])
        return " ".join((inner[1] if inner else found[1]).split())
    return ""


def _sentence(text: str) -> str:
    """What a person would read first, where nobody gave a reason."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("**")), "")


# --- What a failure means ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Fields:
    """`remote`: a server of the recipient's side took part in it."""

    status: str
    diagnostic: str
    text: str
    remote: bool

    @property
    def reason(self) -> str:
        return self.diagnostic or self.text


# Pages of Google's help, which stand in a notice of any language.
_LIMIT = re.compile(
    r"reached (a|your) limit for sending|(sending|relay) (limit|quota)\b.{0,40}\bexceeded"
    r"|exceeded.{0,40}\bsending (limit|quota)\b|answer[/=](22839|166852)\b|[45]\.4\.5\b",
    re.IGNORECASE | re.DOTALL,
)
_GMAIL_BLOCK = re.compile(
    r"answer[/=]69585\b|Message rejected\b|p=CustomFromDenied\b", re.IGNORECASE
)
_FULL = re.compile(
    r"mail ?box (is )?full|over ?quota|(disk |storage )?quota (is )?(full|exceeded)"
    r"|exceed(s|ed)? .{0,40}quota|out of storage|storage (is )?full|insufficient (system )?storage"
    r"|not enough (storage|space)|box is full",
    re.IGNORECASE,
)
_SENDER = re.compile(
    r"\bsender\b.{0,60}\b(rejected|denied|invalid|not (allowed|authori[sz]ed|permitted)|blocked"
    r"|verif|does not exist|unknown)|(rejected|denied|blocked|invalid).{0,30}\bsender\b"
    r"|mail from .{0,80}(rejected|denied|invalid)|send mail as",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\bspam|\bblock(ed|list)|black ?list|\b(dns|r)bl\b|spamhaus|barracuda|\bpolicy\b|reputation"
    r"|unsolicited|\bvirus|malware|phish|prohibited|banned|unauthenticated|not authenticated"
    r"|\b(spf|dkim|dmarc|ptr)\b|reverse dns|message content|content (was )?(rejected|refused)"
    r"|header error|not rfc ?\d* ?compliant|access denied|not allowed|not permitted|permission"
    r"|groups\.google\.com/support|too (big|large)|size (limit|exceed)|exceeds .{0,20}(size|limit)"
    r"|service unavailable",
    re.IGNORECASE,
)
_UNKNOWN_PERSON = re.compile(
    r"user (is )?(unknown|not (found|known|exist))|unknown (user|recipient|address|local|mailbox)"
    r"|no such (user|recipient|address|mailbox|person|account|customer|local)|no mailbox"
    r"|(recipient|address|mailbox|account|user|alias)s? .{0,80}"
    r"(does ?n[o']t exist|do(es)? not exist|not found|unknown|could ?n[o']t be found)"
    r"|(does ?n[o']t|does not|do not) exist|(invalid|undeliverable|bad|nonexistent)"
    r" (recipient|mailbox|address|user)|not a (valid|known) (user|recipient|mailbox|address)"
    r"|address (rejected|not found)|recipient (address )?rejected|recipient not found"
    r"|not our customer|user doesn|account that you tried to reach does not",
    re.IGNORECASE,
)
_NO_DOMAIN = re.compile(
    r"nxdomain|null mx|domain name not found|no relevant answers|domain .{0,80}couldn't be found"
    r"|host (or domain name )?not found|no such domain|unrouteable|unknown (host|domain)"
    r"|domain .{0,80}does ?n[o']t (exist|receive|accept)",
    re.IGNORECASE,
)
_UNREACHED = re.compile(
    r"did not accept our requests|timed? ?out|timeout|could not connect|socket error|servfail"
    r"|connection (refused|reset|dropped|lost|closed)|try again|temporar|greylist|later"
    r"|support tls|retry time",
    re.IGNORECASE,
)
# Gmail's own headings.
_NOT_FOUND = re.compile(r"address not found|couldn't be found", re.IGNORECASE)

_ENHANCED = re.compile(r"(?<![\d.])#?([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# By subject and detail (RFC 3463 section 3), of the remote server's own code.
_HARD_CODES = {(1, 1), (1, 2), (1, 3), (1, 10)}
_SENDER_CODES = {(1, 7), (1, 8)}
_FULL_CODES = {(2, 2)}
_CONTENT_CODES = {(2, 3), (3, 4)}
_POLICY_SUBJECTS = (6, 7)


def _is_limit(fields: _Fields) -> bool:
    return not fields.remote and _LIMIT.search(fields.text + fields.diagnostic) is not None


def _is_by_gmail(fields: _Fields) -> bool:
    return not fields.remote and _GMAIL_BLOCK.search(fields.diagnostic + fields.text) is not None


def _of_failure(fields: _Fields) -> Verdict:
    """What a permanent failure means, whatever class of status it is given.

    Gmail reports a missing domain as failed with 4.0.0: what failed has failed. What could be read
    in two ways is never hard, since that alone is held against the address.
    """
    if _is_limit(fields):
        return Verdict.LIMIT
    if _is_by_gmail(fields):
        return Verdict.BLOCKED
    reason, code = fields.reason, _code(fields)
    if code in _FULL_CODES or _FULL.search(reason):
        return Verdict.SOFT
    if code in _SENDER_CODES or code in _CONTENT_CODES or _SENDER.search(reason):
        return Verdict.BLOCKED
    person = _UNKNOWN_PERSON.search(reason) is not None
    if code in _HARD_CODES and (person or not _POLICY.search(reason)):
        return Verdict.HARD
    if code is not None and code[0] in _POLICY_SUBJECTS:
        return Verdict.BLOCKED
    if _NO_DOMAIN.search(reason):
        return Verdict.HARD
    if _POLICY.search(reason):
        return Verdict.BLOCKED
    if person:
        return Verdict.HARD
    if _UNREACHED.search(reason):
        return Verdict.SOFT
    return Verdict.HARD if _NOT_FOUND.search(fields.text) else Verdict.SOFT


def _code(fields: _Fields) -> tuple[int, int] | None:
    """Subject and detail of the enhanced code that says anything."""
    _, subject, detail = map(int, (_status(fields) or "0.0.0").split("."))
    return (subject, detail) if (subject, detail) != (0, 0) else None


def _status(fields: _Fields) -> str:
    """The enhanced code: the other server's own where it says anything, else the report's."""
    found = [
        ".".join(code)
        for said in (fields.diagnostic, fields.status)
        for code in _ENHANCED.findall(said)
    ]
    telling = (code for code in found if not code.endswith(".0.0"))
    return next(telling, found[-1] if found else "")
