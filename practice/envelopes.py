"""The arguments of MAIL, RCPT (RFC 5321) and BDAT (RFC 3030), and what they add up to."""

import re
from dataclasses import dataclass, field

from practice.incoming import ChunkedBody

PATH = r'<((?:"(?:[^"\\]|\\.)*"|[^">\s])*)>'
MAIL = re.compile(rf"FROM: ?{PATH}((?: +\S+)*)\Z", re.IGNORECASE)
RCPT = re.compile(rf"TO: ?{PATH}\Z", re.IGNORECASE)
CHUNK = re.compile(r"([0-9]{1,12})( LAST)?\Z", re.IGNORECASE)


class SyntaxRefused(Exception):
    """The argument of a command is not what the command takes."""


@dataclass
class Transaction:
    """One message on its way. ``size`` is the announced one in octets, 0 when not announced."""

    sender: str
    size: int
    international: bool
    recipients: list[str] = field(default_factory=list)
    chunks: ChunkedBody | None = None

    def add(self, recipient: str, *, at_most: int) -> bool:
        """Add a recipient unless there are too many; one named twice counts once."""
        if recipient.casefold() in (known.casefold() for known in self.recipients):
            return True
        if len(self.recipients) >= at_most:
            return False
        self.recipients.append(recipient)
        return True


def parse_mail(argument: str) -> Transaction:
    match = MAIL.match(argument)
    if match is None:
        raise SyntaxRefused(argument)
    transaction = Transaction(sender=match[1], size=0, international=False)
    for parameter in match[2].split():
        key, _, value = parameter.upper().partition("=")
        if key == "SIZE" and re.fullmatch("[0-9]{1,20}", value):
            transaction.size = int(value)
        elif parameter.upper() == "SMTPUTF8":
            transaction.international = True
        elif not (key == "BODY" and value in ("7BIT", "8BITMIME") or key == "AUTH" and value):
            raise SyntaxRefused(argument)
    return transaction


def parse_rcpt(argument: str) -> str:
    match = RCPT.match(argument)
    if match is None:
        raise SyntaxRefused(argument)
    return match[1]


def parse_chunk(argument: str) -> tuple[int, bool]:
    """The number of octets that follow, and whether they are the last."""
    match = CHUNK.match(argument)
    if match is None:
        raise SyntaxRefused(argument)
    return int(match[1]), match[2] is not None
