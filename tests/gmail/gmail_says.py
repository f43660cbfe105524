"""What smtp.gmail.com answers, in full: every line as it comes over the wire, without line ends.

The texts are Google's (https://support.google.com/a/answer/3726730), each with the link and the
end that Gmail gives it. One table for whoever tests what follows from a reply.
"""

from gmail.replies import Reply, parse_reply

_END = "d2e1a72fcca58-6ac4b9d7f3asm1234567b3a.42 - gsmtp"
_HELP = " https://support.google.com/mail/?p="


def _reply(code: int, enhanced: str, *lines: str) -> str:
    """Lines of one reply, the last one with Gmail's end; what a fault of the practice takes."""
    status = f"{enhanced} " if enhanced else ""
    first = [f"{code}-{status}{line}" for line in lines[:-1]]
    return "\n".join([*first, f"{code} {status}{lines[-1]} {_END}"])


LIMIT = _reply(
    550,
    "5.4.5",
    "Daily user sending limit exceeded. For more information on Gmail",
    "sending limits go to",
    " https://support.google.com/a/answer/166852",
)
OLDER_LIMIT = _reply(
    550, "5.4.5", "Daily sending quota exceeded. For more information, go to", f"{_HELP}22839"
)
SYSTEM_PROBLEM = _reply(
    421, "4.3.0", "Temporary System Problem.  Try again later (10).", f"{_HELP}TempProblem"
)
TRY_LATER = _reply(421, "4.7.0", "Temporary System Problem.  Try again later.")
CLOSING = _reply(421, "4.7.0", "Try again later, closing connection. (EHLO)")
BUSY = _reply(421, "4.4.5", "Server busy, try again later.")
UNUSUAL_RATE = _reply(
    421,
    "4.7.28",
    "Gmail has detected an unusual rate of email originating from",
    "your account. To protect our users, this email has been rate limited.",
    "For more information, go to",
    f"{_HELP}UnsolicitedRateLimitError",
)
REFUSED_RATE = UNUSUAL_RATE.replace("421", "550").replace("4.7.28", "5.7.28")
TOO_MANY_LOGINS = _reply(
    454,
    "4.7.0",
    "Too many login attempts, please try again later. For more",
    "information, go to",
    f"{_HELP}TooManyLoginAttempts",
)
CANNOT_AUTHENTICATE = _reply(
    454, "4.7.0", "Cannot authenticate due to a temporary system problem. Try again later."
)
BAD_CREDENTIALS = _reply(
    535,
    "5.7.8",
    "Username and Password not accepted. For more information, go to",
    f"{_HELP}BadCredentials",
)
NEEDS_APP_PASSWORD = _reply(
    534,
    "5.7.9",
    "Application-specific password required. For more information, go to",
    f"{_HELP}InvalidSecondFactor",
)
NEEDS_BROWSER = _reply(
    534,
    "5.7.14",
    "<https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbt",
    "> Please log in via your web browser and then try again.",
    "Learn more at",
    f"{_HELP}WebLoginRequired",
)
STARTTLS_FIRST = _reply(
    530, "5.7.0", "Must issue a STARTTLS command first. For more", "information, go to", _HELP
)
NOT_LOGGED_IN = _reply(
    530, "5.7.0", "Authentication Required. For more information, go to", f"{_HELP}WantAuthError"
)
NO_SUCH_ACCOUNT = _reply(
    550,
    "5.1.1",
    "The email account that you tried to reach does not exist. Please try",
    "double-checking the recipient's email address for typos or",
    "unnecessary spaces. For more information, go to",
    f"{_HELP}NoSuchUser",
)
NO_SUCH_DOMAIN = _reply(
    553,
    "5.1.2",
    "We weren't able to find the recipient domain. Please check for any",
    "spelling errors, and make sure you didn't enter any spaces, periods,",
    "or other punctuation after the recipient's email address.",
)
NO_ADDRESS = _reply(
    553,
    "5.1.3",
    "The recipient address <ana@> is not a valid RFC 5321",
    "address. For more information, go to",
    f"{_HELP}InvalidAddress",
)
MAILBOX_BUSY = _reply(
    450,
    "4.2.1",
    "The user you are trying to contact is receiving mail at a rate that",
    "prevents additional messages from being delivered. Please resend your",
    "message at a later time.",
    f"{_HELP}ReceivingRate",
)
MAILBOX_FULL = _reply(
    452, "4.2.2", "The recipient's inbox is out of storage space.", f"{_HELP}OverQuotaTemp"
)
TOO_LARGE = _reply(
    552,
    "5.2.3",
    "Your message exceeded Google's message size limits. For more",
    "information, visit",
    f"{_HELP}MaxSizeError",
)
TOO_LARGE_PARTS = _reply(
    552,
    "5.3.4",
    "The size of your message exceeds Gmail's limits on a message's",
    "size. To learn more, visit",
    f"{_HELP}MaxSizeError",
)
UNSAFE = _reply(
    552,
    "5.7.0",
    "This message was blocked because its content presents a potential",
    "security issue. To review our message content and attachment content",
    "guidelines, go to",
    f"{_HELP}BlockedMessage",
)
IDLE = _reply(451, "4.4.2", "Timeout - closing connection.")


def read(said: str) -> Reply:
    """As smtplib hands a reply on: the code, and its lines without it."""
    lines = [line[4:] for line in said.split("\n")]
    return parse_reply(int(said[:3]), "\n".join(lines).encode())
