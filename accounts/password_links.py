"""The link by which a person sets a password without knowing the old one.

It is the link of the password-reset mail, for handing over by other means: to a new team mate, or
by whoever runs the machine. It works once, and for `PASSWORD_RESET_TIMEOUT` (three days).
"""

import os

from allauth.account import app_settings
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from accounts.models import User


def password_link(user: User, site_url: str) -> str:
    """The link for `user` on the site at `site_url`, such as `http://localhost:8000`."""
    token: str = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(user)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": token},
    )
    return site_url.rstrip("/") + path


def site_url() -> str:
    """Where this instance is reached when no request says so: PUBLIC_URL, else this machine."""
    return settings.PUBLIC_URL or f"http://localhost:{os.environ.get('PORT', '8000')}"
