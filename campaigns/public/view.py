"""A message in the browser, for whom a mail program shows it badly."""

from django.http import HttpRequest, HttpResponse

from campaigns.delivery.compose import Composer
from campaigns.public.pages import message_of, page, recipient_page
from campaigns.rendering import merge
from campaigns.tokens import Purpose

# Pictures from wherever the message has them, and nothing that runs. Links lead on, also those
# that open in a new window, where the sandbox ends.
MESSAGE_CSP = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["http:", "https:", "data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'none'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


def _view(request: HttpRequest, token: str) -> HttpResponse:
    message = message_of(Purpose.VIEW, token)
    if message.account is None or message.contact is None:
        return page("public/gone.html", status=410)
    try:
        letter = Composer(message.account).letter(message, shown=True)
    except merge.MergeError:
        # With what has become of the contact's fields since then.
        return page("public/gone.html", status=410)
    return HttpResponse(letter.html)


view = recipient_page(_view, MESSAGE_CSP, post=False)
