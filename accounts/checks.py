"""System checks: what must hold before Daypost may send, and before others may reach it."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.http.request import validate_host


@register(Tags.database)
def sqlite_is_durable(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    """SQLite must take its lock at once and sync every commit, or a claim can be taken twice.

    See `docs/decisions/` on SQLite.
    """
    problems: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "sqlite":
            continue
        if connection.settings_dict["OPTIONS"].get("transaction_mode") != "IMMEDIATE":
            problems.append(Error("SQLite transactions must be IMMEDIATE.", id="accounts.E001"))
        with connection.cursor() as cursor:
            full = 2
            if cursor.execute("PRAGMA synchronous").fetchone()[0] != full:
                problems.append(Error("SQLite must run with synchronous=FULL.", id="accounts.E002"))
    return problems


@register(Tags.security)
def public_url_can_be_served(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """With PUBLIC_URL strangers reach this instance: what would let them in or lock them out."""
    if not settings.PUBLIC_URL:
        return []
    address = urlsplit(settings.PUBLIC_URL)
    if address.scheme not in {"http", "https"} or not address.hostname:
        hint = "Write it whole, such as https://mail.example.org."
        return [Error("PUBLIC_URL is not a web address.", hint=hint, id="accounts.E005")]
    problems: list[CheckMessage] = []
    if settings.DEBUG:
        problems.append(
            Error(
                "DEBUG is on although PUBLIC_URL is set: error pages would show secrets.",
                hint="Take DEBUG out of the environment or the .env file.",
                id="accounts.E003",
            )
        )
    if not validate_host(address.hostname, settings.ALLOWED_HOSTS):
        problems.append(
            Error(
                "PUBLIC_URL cannot be served: ALLOWED_HOSTS does not hold its host.",
                hint=f"Add {address.hostname} to ALLOWED_HOSTS.",
                id="accounts.E004",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        problems.append(
            Error(
                "ALLOWED_HOSTS answers to any host although PUBLIC_URL is set.",
                hint=f"Write {address.hostname},localhost instead of the star.",
                id="accounts.E006",
            )
        )
    return problems


@register(Tags.security, deploy=True)
def public_url_is_encrypted(
    app_configs: Sequence[AppConfig] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Over plain http, passwords and the links in mails can be read on the way."""
    if settings.PUBLIC_URL and urlsplit(settings.PUBLIC_URL).scheme != "https":
        hint = "Put a proxy with a certificate in front, and write https in PUBLIC_URL."
        return [Warning("PUBLIC_URL is not encrypted.", hint=hint, id="accounts.W001")]
    return []
