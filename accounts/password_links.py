"""The link by which a person sets a password without knowing the old one.

It is the link of the password-reset mail, for handing over by other means: to a new team mate, or
by whoever runs the machine. It works once, and for `PASSWORD_RESET_TIMEOUT` (three days).
"""

import os

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import User


def password_link(user: User, site_url: str) -> str:
    """The link for `user` on the site at `site_url`, such as `http://localhost:8000`."""
    token: str = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    return f"{site_url.rstrip('/')}{_path(user_pk_to_url_str(user), token)}"


def mailed_link(key: str, request: HttpRequest) -> str:
    """The link of a mail, by the `key` of allauth: who it is for, a hyphen, and the token."""
    person, _hyphen, token = key.partition("-")
    return site_url(request).rstrip("/") + _path(person, token)


def _path(person: str, token: str) -> str:
    return reverse("account_reset_password_from_key", kwargs={"uidb36": person, "key": token})


def site_url(request: HttpRequest | None = None) -> str:
    """Where this instance is reached: PUBLIC_URL, else where `request` came, else this machine.

    PUBLIC_URL first: the host of a request is what its sender says, and a link holds a token.
    """
    if settings.PUBLIC_URL or request is None:
        return settings.PUBLIC_URL or f"http://localhost:{os.environ.get('PORT', '8000')}"
    return request.build_absolute_uri("/")
