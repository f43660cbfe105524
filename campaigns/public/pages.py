"""What all pages for recipients have in common."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from csp.decorators import csp
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from campaigns import tokens
from campaigns.models import Message
from campaigns.tokens import Purpose

# Nothing is loaded from anywhere, and nothing runs. (Without an icon in the page itself, browsers
# would ask for one.)
PAGE_CSP = {
    "default-src": ["'none'"],
    "img-src": ["data:"],
    "style-src": ["'unsafe-inline'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}

# What the pages need of a message, and no more: put together once, as Django takes longer for that
# than the database for its answer.
_MESSAGES = (
    Message.objects.filter(campaign__isnull=False)
    .select_related("workspace", "campaign", "contact", "account")
    .only(
        *("to_email", "revision"),
        *(f"workspace__{name}" for name in ("name", "time_zone", "postal_address")),
        *("campaign__name", "campaign__track_opens"),
        *(f"contact__{name}" for name in ("email", "email_key", "first_name", "last_name")),
        *(f"contact__{name}" for name in ("workspace", "fields")),
        *(f"account__{name}" for name in ("workspace", "address", "display_name", "from_address")),
    )
)

View = Callable[..., HttpResponse]


class NothingHere(Exception):
    """The token names no message, or one that this is not for."""


def recipient_page(view: View, policy: Mapping[str, list[str]] = PAGE_CSP, *, post: bool) -> Any:
    """A view of `request` and `token` as strangers may ask for it.

    No check against forged forms: whoever has the token may act, and mail programs do, without a
    cookie (RFC 8058 section 3.2). HEAD is answered as GET, which changes nothing.
    """
    methods = ["GET", "HEAD", *(["POST"] if post else [])]

    @csrf_exempt
    @csp(dict(policy))
    @wraps(view)
    def answer(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        if request.method not in methods:
            return HttpResponseNotAllowed(methods)
        try:
            response = view(request, *args, **kwargs)
        except NothingHere:
            response = page("public/nothing.html", status=404)
        response["Cache-Control"] = "no-store"
        response["Referrer-Policy"] = "no-referrer"
        response["X-Robots-Tag"] = "noindex"
        return response

    return answer


def page(
    template: str, context: Mapping[str, Any] | None = None, status: int = 200
) -> HttpResponse:
    """Rendered without the request, so that nobody is looked up in a session."""
    return HttpResponse(render_to_string(template, dict(context or {})), status=status)


def message_of(purpose: Purpose, token: str) -> Message:
    """The campaign's message that the token was made for. Raises NothingHere.

    Not more of it than these pages need: the rest would be read when it is asked for.
    """
    message_id = tokens.read(purpose, token)
    if message_id is None:
        raise NothingHere
    message = next(iter(_MESSAGES.filter(pk=message_id)), None)
    if message is None or message.account is None:
        raise NothingHere
    # The same row, which need not be read twice.
    message.account.workspace = message.workspace
    return message


def named(message: Message) -> dict[str, str]:
    """Who writes to whom, as the pages say it."""
    account = message.account
    return {
        "sender": (account.display_name if account else "") or message.workspace.name,
        "sender_address": (account.from_address or account.address) if account else "",
        "address": covered(message.to_email),
    }


def covered(address: str) -> str:
    """`a…@example.org`: its owner knows it, and whoever was forwarded the mail learns nothing."""
    local_part, at, domain = address.rpartition("@")
    return f"{local_part[:1]}…{at}{domain}" if at else ""


def _nothing(request: HttpRequest) -> HttpResponse:
    raise NothingHere


nothing = recipient_page(_nothing, post=True)
