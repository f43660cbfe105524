"""Who mail says that it is from: the rules of its name and addresses, wherever they are typed."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

LONGEST_NAME = 200
"""Characters, as the column has them."""

# Controls, halves of characters, and what ends a line: Unicode's general categories.
_NOT_IN_A_NAME = {"Cc", "Cs", "Zl", "Zp"}
# Turn round how the rest of the line is shown: an address could be made to look like another.
_TURNS_ROUND = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def checked_name(text: str) -> str:
    """A name as it may stand in a header, in any script; may be empty. Raises ValidationError."""
    name = text.strip()
    # Not `isprintable`, which refuses the joiners that Persian names and some emoji are made with.
    if any(unicodedata.category(character) in _NOT_IN_A_NAME for character in name):
        raise ValidationError(_("The name may not hold line breaks or tabs."))
    if _TURNS_ROUND & set(name):
        raise ValidationError(_("The name holds characters that cannot be seen. Type it anew."))
    if len(name) > LONGEST_NAME:
        raise ValidationError(
            _("The name may have %(most)d characters at most.") % {"most": LONGEST_NAME}
        )
    return name


def checked_address(text: str) -> str:
    """An address that can stand in a header, its domain in ASCII; may be empty.

    Letters beyond ASCII before the @ (RFC 6532) are refused, as all mail would be that carries
    them. Raises ValidationError.
    """
    address = text.strip()
    if not address:
        return ""
    try:
        checked = validate_email(
            address,
            check_deliverability=False,
            allow_smtputf8=False,
            test_environment=True,  # `.test`, made for practising
        )
    except EmailNotValidError as error:
        raise ValidationError(
            _("Mail cannot carry this address. Type it whole, like shop@example.com.")
        ) from error
    return f"{checked.local_part}@{checked.ascii_domain}"
