"""What an SMTP reply means for a sender, from the code, the enhanced code and the phase. Pure.

Sources: RFC 5321 section 4.2, RFC 3463, and what smtp.gmail.com is known to answer
(https://support.google.com/a/answer/3726730).
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """How far a session had come. Nothing is accepted before `DOT`."""

    CONNECT = "connect"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Meaning(StrEnum):
    """Whose concern a reply is, and so what to do.

    Everything but `ACCEPTED` says that the message was certainly not accepted.
    """

    ACCEPTED = "accepted"
    # Try again later, with longer and longer rests of the account.
    TEMPORARY = "temporary"
    # This recipient only: the message is refused for good, the next one may go.
    RECIPIENT = "recipient"
    # This content: the next message would fare the same, so the campaign pauses.
    MESSAGE = "message"
    # Gmail's limit: the account rests, the recipient is innocent.
    LIMIT = "limit"
    # The account cannot log in until a person acts.
    AUTH = "auth"
    # Not ours to guess (a protocol error, a refused sender): stop, and show the reply.
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reply:
    """An SMTP reply. `text` has one line, without the codes; `enhanced` is like "5.4.5"."""

    code: int
    text: str
    enhanced: str | None = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.code, self.enhanced, self.text) if part)


class LoginRefusal(StrEnum):
    """Why a login was refused for good, whichever protocol it was for."""

    # Address, app password or token not accepted.
    CREDENTIALS = "credentials"
    # An ordinary password was given where only an app password will do.
    APPLICATION_SPECIFIC = "application_specific"
    # The person has to log in with a browser first.
    WEB_LOGIN = "web_login"
    # The mailbox is not open to this protocol: IMAP or POP is switched off.
    SWITCHED_OFF = "switched_off"


_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")


def parse_reply(code: int, message: bytes) -> Reply:
    """Read a reply as smtplib gives it: the lines after their codes, joined by line feeds.

    Gmail repeats the enhanced code (RFC 2034) on each line; it is taken out of the text.
    """
    enhanced = None
    texts = []
    for line in message.decode("utf-8", "replace").split("\n"):
        match = _ENHANCED.match(line)
        if match:
            enhanced = enhanced or match[1]
            line = line[match.end() :]
        texts.append(line.strip())
    return Reply(code, " ".join(text for text in texts if text), enhanced)


_BAD_CREDENTIALS = (530, 534, 535)
_APPLICATION_SPECIFIC = "5.7.9"
_WEB_LOGIN = "5.7.14"
_BAD_COMMAND = (500, 502, 503, 504)
_SENDING_LIMIT = re.compile(
    r"\bsending (limit|quota)\b.*\bexceeded|exceeded.*\bsending (limit|quota)\b"
)
_TOO_LARGE_OR_UNFIT = ("5.2.3", "5.3.4")
_UNUSUAL_RATE = "5.7.28"


def meaning(reply: Reply, at: Phase) -> Meaning:
    """What `reply`, given `at` this phase, means.

    What is not known falls to the side where nothing is lost: an unknown 5xx names the recipient
    where only the recipient was spoken of, and otherwise stops whatever would repeat it.
    """
    kind = reply.code // 100
    if kind == 2:
        return Meaning.ACCEPTED
    if kind == 4:
        return Meaning.TEMPORARY
    if kind != 5:
        return Meaning.UNKNOWN
    if _is_limit(reply):
        return Meaning.LIMIT
    if reply.enhanced == _UNUSUAL_RATE:
        return Meaning.TEMPORARY
    if at in (Phase.CONNECT, Phase.EHLO, Phase.STARTTLS) or _asks_for_tls(reply):
        return Meaning.UNKNOWN
    if at == Phase.AUTH or reply.code in _BAD_CREDENTIALS:
        return Meaning.AUTH
    if reply.code in _BAD_COMMAND:
        return Meaning.UNKNOWN
    return _of_transaction(reply, at)


def login_refusal(reply: Reply) -> LoginRefusal:
    """Why SMTP refused a login, from a reply whose meaning is AUTH."""
    if reply.enhanced == _WEB_LOGIN:
        return LoginRefusal.WEB_LOGIN
    if reply.enhanced == _APPLICATION_SPECIFIC:
        return LoginRefusal.APPLICATION_SPECIFIC
    return LoginRefusal.CREDENTIALS


def _of_transaction(reply: Reply, at: Phase) -> Meaning:
    """A 5xx to MAIL, RCPT, DATA, the body or the dot."""
    enhanced = reply.enhanced or ""
    if enhanced in _TOO_LARGE_OR_UNFIT or enhanced.startswith("5.6."):
        return Meaning.MESSAGE
    if at == Phase.MAIL:
        return Meaning.UNKNOWN
    if at == Phase.RCPT or enhanced.startswith(("5.1.", "5.2.")):
        return Meaning.RECIPIENT
    return Meaning.MESSAGE


def _is_limit(reply: Reply) -> bool:
    return reply.enhanced == "5.4.5" or bool(_SENDING_LIMIT.search(reply.text.lower()))


def _asks_for_tls(reply: Reply) -> bool:
    return reply.code == 530 and "starttls" in reply.text.lower()
