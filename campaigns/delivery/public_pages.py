"""The addresses of pages that a recipient reaches, under `PUBLIC_URL`; without it there are none.

What stands there: `campaigns.public.urls`.
"""

from django.conf import settings

from campaigns import tokens
from campaigns.tokens import Purpose


def leave(message_id: int) -> str:
    """Where the recipient of the message opts out, and a mail program does (RFC 8058)."""
    return _page("u", Purpose.LEAVE, message_id)


def preferences(message_id: int) -> str:
    return _page("p", Purpose.LEAVE, message_id)


def view(message_id: int) -> str:
    """The message itself, for a browser."""
    return _page("v", Purpose.VIEW, message_id)


def click(message_id: int, number: int) -> str:
    """Where a link of this number is counted, and leads on."""
    return f"{_page('c', Purpose.CLICK, message_id)}/{number}"


def picture(message_id: int) -> str:
    """The picture by which it is counted that the message was opened."""
    return f"{_page('o', Purpose.OPEN, message_id)}.gif"


def _page(letter: str, purpose: Purpose, message_id: int) -> str:
    return f"{settings.PUBLIC_URL}/{letter}/{tokens.make(purpose, message_id)}"
