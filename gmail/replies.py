"""What an SMTP reply means for a sender, from the code, the enhanced code and the phase, and why
any of Gmail's servers refuses a login. Pure.

Sources: RFC 5321 section 4.2, RFC 3463, and what smtp.gmail.com is known to answer
(https://support.google.com/a/answer/3726730). No other module names a reply code or a reply's
words for what they mean.
"""

from __future__ import annotations

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
    # Only this session is over: connect and log in again, and carry on.
    SESSION = "session"
    # Try again later, with longer and longer rests of the account.
    TEMPORARY = "temporary"
    # This recipient only: the message is refused for good, the next one may go.
    RECIPIENT = "recipient"
    # This recipient only, and later it may be taken.
    RECIPIENT_LATER = "recipient_later"
    # This content: the next message would fare the same, so the campaign pauses.
    MESSAGE = "message"
    # Gmail's limit: the account rests, the recipient is innocent.
    LIMIT = "limit"
    # The account cannot log in until a person acts.
    AUTH = "auth"
    # Not ours to guess (a protocol error, a refused sender): stop, and show the reply.
    UNKNOWN = "unknown"


class Trouble(StrEnum):
    """What a refusal is about, as finely as a person needs to know it."""

    LIMIT = "limit"
    # Too much, too fast, or the same thing too often.
    RATE = "rate"
    LOGINS = "logins"
    # Gmail's own, and passing.
    SYSTEM = "system"
    TOO_LARGE = "too_large"
    # A link or an attachment that Gmail holds to be dangerous.
    UNSAFE = "unsafe"
    OTHER = "other"


@dataclass(frozen=True)
class Reply:
    """An SMTP reply. `text` has one line, without the codes; `enhanced` is like "5.4.5"."""

    code: int
    text: str
    enhanced: str | None = None

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.code, self.enhanced, self.text) if part)

    @classmethod
    def read(cls, said: str) -> Reply | None:
        """The reply that `str` made `said` of; None for other words."""
        match = _SAID.fullmatch(said)
        return cls(int(match[1]), match[3], match[2]) if match else None

    @property
    def without_session(self) -> str:
        """The reply as a person needs it: without the id of the session, which Gmail adds."""
        return _SESSION_ID.sub("", str(self))

    @property
    def ends_session(self) -> bool:
        """Whether the server hangs up after it (RFC 5321 section 3.8)."""
        return self.code == _CLOSING or self.enhanced == _IDLE


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
_SESSION_ID = re.compile(r"\.?(?: \S+)? - gsmtp$")
_SAID = re.compile(r"([2-5]\d\d)(?: ([245]\.\d{1,3}\.\d{1,3}))?(?: (.*))?", re.DOTALL)

# What a server says is shown on pages and kept in tables; PostgreSQL takes no NUL in a text.
_UNFIT = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]+")
LONGEST = 1_000


def fit_to_keep(said: str) -> str:
    """`said` by a server in one line without control characters, of at most `LONGEST` characters.

    Cut between two words: of a secret that a server repeats, no part would be recognised.
    """
    line = _UNFIT.sub(" ", said).strip()
    if len(line) <= LONGEST:
        return line
    return f"{line[: LONGEST - 1].rpartition(' ')[0]} …".lstrip()


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
    return Reply(code, fit_to_keep(" ".join(text for text in texts if text)), enhanced)


# 421: the server closes the connection, whatever it answers (RFC 5321 section 3.8).
_CLOSING = 421
_IDLE = "4.4.2"
_NOT_LOGGED_IN = 530
_BAD_CREDENTIALS = (534, 535)
_BAD_COMMAND = (500, 501, 502, 503, 504)
_UNUSUAL_RATE = ("4.7.28", "5.7.28")
_TOO_LARGE = ("5.2.3", "5.3.4")
_UNSAFE = (552, "5.7.0")
_BAD_SENDER = ("5.1.7", "5.1.8")
# Behind the class: of addresses, of mailboxes, of the way there (RFC 3463 section 3).
_OF_RECIPIENT = ("1", "2", "4")

_LIMIT_WORDS = re.compile(
    r"\b(sending|relay) (limit|quota)\b.*\bexceeded|exceeded.*\bsending (limit|quota)\b"
    r"|reached a limit for sending",
    re.IGNORECASE,
)
_RATE_WORDS = re.compile(r"unusual rate", re.IGNORECASE)
_LOGINS_WORDS = re.compile(r"too many log-?in attempts", re.IGNORECASE)
_WEB_LOGIN = re.compile(r"web browser|web ?login|\[WEBALERT", re.IGNORECASE)
_APPLICATION_SPECIFIC = re.compile(r"application-specific password", re.IGNORECASE)
_SWITCHED_OFF = re.compile(r"not enabled for|access is disabled", re.IGNORECASE)
# The codes are of RFC 5530 (IMAP) and RFC 3206 (POP).
_CREDENTIALS = re.compile(
    r"\[(AUTHENTICATIONFAILED|AUTHORIZATIONFAILED|EXPIRED|AUTH)\]"
    r"|invalid credentials|password not accepted",
    re.IGNORECASE,
)
# The first that is found decides.
_READING_REFUSALS = (
    (_WEB_LOGIN, LoginRefusal.WEB_LOGIN),
    (_APPLICATION_SPECIFIC, LoginRefusal.APPLICATION_SPECIFIC),
    (_SWITCHED_OFF, LoginRefusal.SWITCHED_OFF),
    (_CREDENTIALS, LoginRefusal.CREDENTIALS),
)
_STARTTLS = re.compile(r"starttls", re.IGNORECASE)


def meaning(reply: Reply, at: Phase) -> Meaning:
    """What `reply`, given `at` this phase, means.

    What is not known falls to the side where nothing is lost: an unknown 5xx is the recipient's
    where nothing but the recipient can be meant, and otherwise stops whatever would repeat it.
    """
    kind = reply.code // 100
    if kind == 2:
        return Meaning.ACCEPTED
    if kind not in (4, 5):
        return Meaning.UNKNOWN
    if _is_limit(reply):
        return Meaning.LIMIT
    if _is_session_over(reply, at):
        return Meaning.SESSION
    if _is_rate(reply):
        return Meaning.TEMPORARY
    if kind == 4:
        return _of_passing_trouble(reply, at)
    if at in (Phase.CONNECT, Phase.EHLO, Phase.STARTTLS) or _asks_for_tls(reply):
        return Meaning.UNKNOWN
    if at == Phase.RCPT and _subject(reply) == "1":
        # Of the address that was named, whatever else the code says of the command.
        return _of_transaction(reply, at)
    if reply.code in _BAD_COMMAND or (at == Phase.AUTH and _enhanced(reply).startswith("5.5.")):
        return Meaning.UNKNOWN
    if at == Phase.AUTH or reply.code in _BAD_CREDENTIALS:
        return Meaning.AUTH
    return _of_transaction(reply, at)


def trouble(reply: Reply) -> Trouble:
    """What a refusal is about, for the words that a person reads."""
    if _is_limit(reply):
        return Trouble.LIMIT
    if _is_rate(reply):
        return Trouble.RATE
    if _LOGINS_WORDS.search(reply.text):
        return Trouble.LOGINS
    if reply.enhanced in _TOO_LARGE:
        return Trouble.TOO_LARGE
    if (reply.code, reply.enhanced) == _UNSAFE:
        return Trouble.UNSAFE
    return Trouble.SYSTEM if reply.code // 100 == 4 else Trouble.OTHER


def login_refusal(reply: Reply) -> LoginRefusal:
    """Why SMTP refused a login, from a reply whose meaning is AUTH.

    Gmail has said the same under several enhanced codes, so its words decide as well.
    """
    if reply.enhanced == "5.7.14" or _WEB_LOGIN.search(reply.text):
        return LoginRefusal.WEB_LOGIN
    if reply.enhanced == "5.7.9" or _APPLICATION_SPECIFIC.search(reply.text):
        return LoginRefusal.APPLICATION_SPECIFIC
    return LoginRefusal.CREDENTIALS


def reading_refusal(said: str) -> LoginRefusal | None:
    """Why IMAP or POP refused a login for good, from its words; None when it may pass.

    What is not known may pass: to stop an account on words that nobody understands would be worse
    than to ask once more, later.
    """
    return next((why for words, why in _READING_REFUSALS if words.search(said)), None)


def _of_passing_trouble(reply: Reply, at: Phase) -> Meaning:
    """A 4xx: of the recipient only where it says so, or where nothing else was spoken of."""
    if at != Phase.RCPT or reply.ends_session:
        return Meaning.TEMPORARY
    of_recipient = reply.enhanced is None or _subject(reply) in _OF_RECIPIENT
    return Meaning.RECIPIENT_LATER if of_recipient else Meaning.TEMPORARY


def _of_transaction(reply: Reply, at: Phase) -> Meaning:
    """A 5xx to MAIL, RCPT, DATA, the body or the dot."""
    if reply.enhanced in _TOO_LARGE:
        return Meaning.MESSAGE
    if at == Phase.MAIL or reply.enhanced in _BAD_SENDER:
        return Meaning.UNKNOWN
    if at == Phase.RCPT:
        return _of_named_recipient(reply)
    return Meaning.RECIPIENT if _subject(reply) in ("1", "2") else Meaning.MESSAGE


def _of_named_recipient(reply: Reply) -> Meaning:
    """A 5xx to RCPT. A refused system or policy would refuse the next recipient just as well."""
    return Meaning.UNKNOWN if _subject(reply) in ("3", "7") else Meaning.RECIPIENT


def _is_limit(reply: Reply) -> bool:
    return reply.enhanced == "5.4.5" or bool(_LIMIT_WORDS.search(reply.text))


def _is_rate(reply: Reply) -> bool:
    return reply.enhanced in _UNUSUAL_RATE or bool(_RATE_WORDS.search(reply.text))


def _is_session_over(reply: Reply, at: Phase) -> bool:
    """Idle for too long, closed without another word, or no longer logged in."""
    if reply.enhanced == _IDLE or (reply.code == _CLOSING and reply.enhanced is None):
        return True
    return reply.code == _NOT_LOGGED_IN and at != Phase.AUTH and not _asks_for_tls(reply)


def _asks_for_tls(reply: Reply) -> bool:
    return reply.code == _NOT_LOGGED_IN and bool(_STARTTLS.search(reply.text))


def _enhanced(reply: Reply) -> str:
    return reply.enhanced or ""


def _subject(reply: Reply) -> str:
    """The middle of the enhanced code (RFC 3463 section 2); empty where there is none."""
    return reply.enhanced.split(".")[1] if reply.enhanced else ""
