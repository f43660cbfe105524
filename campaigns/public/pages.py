"""What all pages for recipients have in common."""

import json
from collections.abc import Callable, Mapping
from functools import cache, wraps
from typing import Any

from csp.decorators import csp
from django.db import connection
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.loader import render_to_string
from django.views.decorators.csrf import csrf_exempt

from accounts.models import GmailAccount, Workspace
from campaigns import lasting_keys, tokens
from campaigns.models import Campaign, Contact, Message
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

# What the pages need of a message, and no more.
_PARTS: tuple[tuple[type[Model], str, tuple[str, ...]], ...] = (
    (
        Message,
        "",
        ("id", "to_email", "revision", "workspace_id", "campaign_id", "contact_id", "account_id"),
    ),
    (Workspace, "workspace", ("id", "name", "time_zone", "postal_address")),
    (Campaign, "campaign", ("id", "name", "track_opens")),
    (GmailAccount, "account", ("id", "workspace_id", "address", "display_name", "from_address")),
    (
        Contact,
        "contact",
        ("id", "workspace_id", "email", "email_key", "first_name", "last_name", "fields"),
    ),
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
        if request.method == "POST" and not lasting_keys.fit():
            # It would be written down where nobody looks. Mail programs try again.
            return page("public/later.html", status=503)
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
    with connection.cursor() as cursor:
        cursor.execute(_question(), [message_id])
        row = cursor.fetchone()
    if row is None:
        raise NothingHere
    return _put_together(list(row))


@cache
def _question() -> str:
    """Put into SQL once: Django takes longer for that than everything else on a page."""
    names = (
        f"{path}__{name}" if path else name
        for model, path, of in _PARTS
        for name in _in_order(model, of)
    )
    rows = Message.objects.filter(pk=0, campaign__isnull=False)
    sql: str = rows.values_list(*names).query.sql_with_params()[0]
    return sql


@cache
def _in_order(model: type[Model], wanted: tuple[str, ...]) -> list[str]:
    """As `from_db` takes them, the key first."""
    return [field.attname for field in model._meta.concrete_fields if field.attname in wanted]


def _put_together(row: list[Any]) -> Message:
    found: dict[str, Any] = {}
    for model, path, wanted in _PARTS:
        names = _in_order(model, wanted)
        values, row = row[: len(names)], row[len(names) :]
        if "fields" in names and isinstance(further := values[names.index("fields")], str):
            values[names.index("fields")] = json.loads(further)
        found[path] = model.from_db("default", names, values) if values[0] else None
    message: Message = found[""]
    message.workspace, message.campaign = found["workspace"], found["campaign"]
    message.account, message.contact = found["account"], found["contact"]
    if message.account is not None:
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
