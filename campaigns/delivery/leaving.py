"""How a recipient leaves: what a mail offers for it, and what of it is known again. Pure.

By mail it works for everybody: the address is that of the account itself, with a token behind a
plus (`ana+token@gmail.com`), which Gmail puts into the account's own mailbox, and the token stands
in the subject once more. Pages need a `PUBLIC_URL`.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote

from campaigns import tokens
from campaigns.rendering import mime
from campaigns.tokens import Purpose

# RFC 5321 4.5.3.1.1, in octets.
_LONGEST_LOCAL_PART = 64
# Within it a plus and letters may follow one another, where a quoted string may not be followed.
_DOT_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]+")
_WORD = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z2-7]{{{tokens.LENGTH}}}(?![A-Za-z0-9])")


def opt_out_link(account_address: str, message_id: int) -> str:
    """The `mailto:` link by which the recipient of this message leaves.

    Its address is in ASCII and percent-encoded (RFC 6068 section 2). `account_address` is that of
    the account, never of an alias: what Gmail makes of the plus address of an alias is not known.
    Raises mime.MessageError.
    """
    address = quote(opt_out_address(account_address, message_id), safe="@+")
    token = tokens.make(Purpose.OPT_OUT_BY_MAIL, message_id)
    return f"mailto:{address}?subject=unsubscribe%20{token}"


def opt_out_address(account_address: str, message_id: int) -> str:
    """`ana+token@gmail.com`; the account's own address where that would be too long.

    Raises mime.MessageError for an address that mail cannot be sent to.
    """
    account = mime.in_ascii(account_address)
    local_part, _at, domain = account.rpartition("@")
    marked = f"{local_part}+{tokens.make(Purpose.OPT_OUT_BY_MAIL, message_id)}"
    if len(marked) > _LONGEST_LOCAL_PART or not _DOT_ATOM.fullmatch(marked):
        return account
    return f"{marked}@{domain}"


def message_in_mail(recipients: Iterable[str], subject: str) -> int | None:
    """The id of the message that a mail to these addresses, with this subject, opts out of.

    `recipients` are addresses alone (`ana+token@gmail.com`), without names.
    """
    for recipient in recipients:
        if (found := message_in_address(recipient)) is not None:
            return found
    return message_in_subject(subject)


def message_in_address(address: str) -> int | None:
    """The id of the message whose token stands behind the plus, in either case; None without one.

    Whose address it is, is not looked at: nobody can guess a token, and Gmail takes `a.na` and
    googlemail.com for the same mailbox.
    """
    local_part, at, _domain = address.strip().strip("<>").rpartition("@")
    _mailbox, plus, token = local_part.rpartition("+")
    return tokens.read(Purpose.OPT_OUT_BY_MAIL, token) if at and plus else None


def message_in_subject(subject: str) -> int | None:
    """The id of the message whose token is a word of the subject, in either case."""
    for word in _WORD.findall(subject):
        if (found := tokens.read(Purpose.OPT_OUT_BY_MAIL, word)) is not None:
            return found
    return None
