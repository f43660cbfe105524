"""Where counted links lead, and the picture by which opens are counted.

HEAD, and whoever is no reader of the message any more, is answered all the same and not counted.
"""

import base64

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone

from campaigns import tracking
from campaigns.models import Message, TrackedLink
from campaigns.public.pages import NothingHere, message_of, recipient_page
from campaigns.tokens import Purpose

# A number that a database takes.
MOST_LINKS = 100_000
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def _click(request: HttpRequest, token: str, number: int) -> HttpResponse:
    """On to the address that stands in the message's own revision, and to no other."""
    message = message_of(Purpose.CLICK, token)
    link = tracking.link_of(message, number) if number < MOST_LINKS else None
    if link is None:
        raise NothingHere
    _note(request, message, link)
    return HttpResponseRedirect(link.url)


def _open(request: HttpRequest, token: str) -> HttpResponse:
    message = message_of(Purpose.OPEN, token)
    if message.campaign is not None and message.campaign.track_opens:
        _note(request, message, None)
    return HttpResponse(_PIXEL, content_type="image/gif")


def _note(request: HttpRequest, message: Message, link: TrackedLink | None) -> None:
    if request.method == "GET" and message.contact is not None:
        tracking.note(message, link, request.headers, timezone.now())


click = recipient_page(_click, post=False)
open_ = recipient_page(_open, post=False)
