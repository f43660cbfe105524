"""This instance's answer to itself: see `campaigns.reachable`."""

import re

from django.http import HttpRequest, HttpResponse

from campaigns import reachable
from campaigns.public.pages import NothingHere, recipient_page

_NONCE = re.compile(r"[0-9a-f]{32}")


def _answer(request: HttpRequest, nonce: str) -> HttpResponse:
    if not _NONCE.fullmatch(nonce):
        raise NothingHere
    return HttpResponse(reachable.answer(nonce), content_type="text/plain")


reach = recipient_page(_answer, post=False)
