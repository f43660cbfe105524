"""The words with which smtp.gmail.com answers, as collected from the field.

A reply is a code with its enhanced status (RFC 3463) and one or more lines. ``render`` adds what
Gmail puts at the end of each: the session's id and the name of the service.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reply:
    """``lines`` are what follows code and status; the last of them gets the session's id."""

    code: int
    status: str
    lines: tuple[str, ...]

    def render(self, session: str) -> list[str]:
        """The lines as they go over the wire, without their ends."""
        status = f"{self.status} " if self.status else ""
        last = f"{self.code} {status}{self.lines[-1]} {session} - gsmtp"
        return [*(f"{self.code}-{status}{line}" for line in self.lines[:-1]), last]


def _reply(code: int, status: str, *lines: str) -> Reply:
    return Reply(code, status, lines)


TLS_READY = _reply(220, "2.0.0", "Ready to start TLS")
CLOSING = _reply(221, "2.0.0", "closing connection")
AUTHENTICATED = _reply(235, "2.7.0", "Accepted")
OK = _reply(250, "2.0.0", "OK")
SENDER_OK = _reply(250, "2.1.0", "OK")
RECIPIENT_OK = _reply(250, "2.1.5", "OK")
FLUSHED = _reply(250, "2.1.5", "Flushed")
CHUNK_OK = _reply(250, "2.0.0", "Chunk received")
VERIFY = _reply(252, "2.1.5", "Send some mail, I'll try my best")
GO_AHEAD = _reply(354, "", "Go ahead")

SYSTEM_PROBLEM = _reply(421, "4.3.0", "Temporary System Problem. Try again later.")
EXPIRED = _reply(421, "4.7.0", "Connection expired, try reconnecting.")
IDLE = _reply(451, "4.4.2", "Timeout - closing connection.")
TOO_MANY_RECIPIENTS = _reply(
    452,
    "4.5.3",
    "Your message has too many recipients. For more information on",
    "Gmail's sending limits, go to",
    " https://support.google.com/mail/?p=TooManyRecipientsError",
)
UNDECODABLE = _reply(501, "5.5.2", "Cannot Decode response")
CANCELLED = _reply(501, "5.7.0", "Authentication cancelled")
BAD_HELO = _reply(501, "5.5.4", "HELO/EHLO argument is invalid.")
UNKNOWN_COMMAND = _reply(502, "5.5.1", "Unrecognized command.")
HELO_FIRST = _reply(503, "5.5.1", "EHLO/HELO first.")
MAIL_FIRST = _reply(503, "5.5.1", "MAIL first.")
RCPT_FIRST = _reply(503, "5.5.1", "RCPT first.")
NESTED_MAIL = _reply(503, "5.5.1", "Nested MAIL command.")
TLS_ALREADY = _reply(503, "5.5.1", "TLS already started.")
BDAT_ONLY = _reply(503, "5.5.1", "BDAT has begun, DATA may not follow.")
NO_IDENTITY_CHANGE = _reply(503, "5.7.0", "No identity changes permitted.")
UNKNOWN_MECHANISM = _reply(504, "5.7.4", "Unrecognized Authentication Type")
STARTTLS_FIRST = _reply(530, "5.7.0", "Must issue a STARTTLS command first.")
AUTHENTICATION_REQUIRED = _reply(
    530,
    "5.7.0",
    "Authentication Required. For more information, go to",
    " https://support.google.com/mail/?p=WantAuthError",
)
BAD_CREDENTIALS = _reply(
    535,
    "5.7.8",
    "Username and Password not accepted. For more information, go to",
    " https://support.google.com/mail/?p=BadCredentials",
)
LIMIT_EXCEEDED = _reply(
    550,
    "5.4.5",
    "Daily user sending limit exceeded. For more information on Gmail",
    "sending limits go to",
    " https://support.google.com/a/answer/166852",
)
TOO_LARGE = _reply(
    552,
    "5.3.4",
    "Your message exceeded Google's message size limits. For more",
    "information, visit",
    " https://support.google.com/mail/?p=MaxSizeError",
)
BAD_DOMAIN = _reply(
    553,
    "5.1.2",
    "We weren't able to find the recipient domain. Please check for any",
    "spelling errors, and make sure you didn't enter any spaces, periods,",
    "or other punctuation after the recipient's email address.",
)
LINE_TOO_LONG = _reply(
    555,
    "5.5.2",
    "command line too long, learn more at",
    " https://support.google.com/mail/?p=SmtpLineTooLong",
)
SYNTAX_ERROR = _reply(555, "5.5.2", "Syntax error.")


def bad_recipient(address: str) -> Reply:
    return _reply(
        553,
        "5.1.3",
        f"The recipient address <{address}> is not a valid RFC 5321",
        "address. For more information, go to",
        " https://support.google.com/mail/?p=InvalidAddress",
    )


def bad_sender(address: str) -> Reply:
    return _reply(
        553,
        "5.1.7",
        f"The sender address <{address}> is not a valid RFC 5321",
        "address. For more information, go to",
        " https://support.google.com/mail/?p=InvalidAddress",
    )


def accepted(epoch: int, message: str) -> str:
    """The answer that ends a message, with the practice clock in it."""
    return f"250 2.0.0 OK {epoch} {message} - gsmtp"


def one_line(lines: list[str]) -> str:
    """A reply as one readable line: code and status once, then the text."""
    first, *rest = lines
    words = [first[:3], first[4:], *(_text_of(line) for line in rest)]
    return " ".join(" ".join(words).split())


def _text_of(line: str) -> str:
    """What follows code and enhanced status in a further line of a reply."""
    status, _, text = line[4:].partition(" ")
    return text if status.count(".") == 2 else line[4:]
