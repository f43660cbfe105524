"""Whether others reach this instance under its `PUBLIC_URL`: it asks itself, from outside.

Over the network, by name and through whatever stands in front, as a recipient would. Only this
instance can give the answer that is expected, so that another server at the same name is noticed.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.utils.translation import gettext as _
from urllib3.exceptions import HTTPError, NameResolutionError

from campaigns.models import PublicAddress
from gmail.endpoints import is_loopback

# Seconds to connect, and for the answer.
TIMEOUT = (5, 10)
# How long what was found holds before it is looked at again, and at all.
WELL = timedelta(hours=1)
UNWELL = timedelta(minutes=2)
HOLDS = timedelta(days=1)
_LONGEST = 200  # octets


def is_reachable(now: datetime) -> bool:
    """Whether it was reached when it was last tried, within a day."""
    found = known()
    return found is not None and not found.why_not and found.tried_at > now - HOLDS


def known() -> PublicAddress | None:
    """What is known of the address that is set now; None where none is, or none was looked at."""
    if not settings.PUBLIC_URL:
        return None
    return PublicAddress.objects.filter(url=settings.PUBLIC_URL).first()


def look_when_due(now: datetime) -> None:
    found = known()
    if found is None or found.tried_at <= now - (UNWELL if found.why_not else WELL):
        look(now)


def look(now: datetime) -> None:
    """Ask, and write down what was found. Not to be called in a transaction: it may take 15
    seconds."""
    if not settings.PUBLIC_URL:
        return
    why_not = _why_not(settings.PUBLIC_URL)
    reached = {} if why_not else {"reached_at": now}
    PublicAddress.objects.update_or_create(
        url=settings.PUBLIC_URL, defaults={"tried_at": now, "why_not": why_not, **reached}
    )


def answer(nonce: str) -> str:
    """What this instance says to a nonce, and nobody without its key."""
    # Of a key of its own: the keys of tokens are made from the same one, each by its own name.
    key = hmac.digest(settings.TOKEN_KEY.encode(), b"reachable", hashlib.sha256)
    return hmac.digest(key, nonce.encode(), hashlib.sha256).hex()


def _why_not(url: str) -> str:
    """Empty when it was reached, else what is wrong and what to do."""
    host = urlsplit(url).hostname or ""
    nonce = secrets.token_hex(16)
    with requests.Session() as session:
        # A proxy between us and the network is used, but not on the way to ourselves.
        session.trust_env = not is_loopback(host)
        try:
            with session.get(
                f"{url}/reachable/{nonce}",
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"User-Agent": "Daypost"},
            ) as response:
                said = response.raw.read(_LONGEST, decode_content=True).decode("ascii", "replace")
        except (requests.RequestException, HTTPError, ValueError) as error:
            return _explained(error, host)
    if response.ok and hmac.compare_digest(said.strip().encode(), answer(nonce).encode()):
        return ""
    return _not_us(response, host)


def _explained(error: Exception, host: str) -> str:
    named = {"host": host}
    if isinstance(error, requests.exceptions.SSLError):
        return (
            _(
                "The certificate of %(host)s is not accepted. See that the web server in front "
                "of Daypost has a valid one for this name."
            )
            % named
        )
    if isinstance(error, requests.Timeout):
        return (
            _(
                "%(host)s does not answer within a few seconds. See that the router and the "
                "firewall let the connection through to this machine."
            )
            % named
        )
    if _is_about_the_name(error):
        return (
            _(
                "The name %(host)s is not known. Make a DNS record for it that leads to this "
                "machine, or correct PUBLIC_URL."
            )
            % named
        )
    return (
        _(
            "Nobody answers at %(host)s. See that the web server in front of Daypost is running, "
            "and that the router passes connections on to it."
        )
        % named
    )


def _is_about_the_name(error: Exception) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NameResolutionError)


def _not_us(response: requests.Response, host: str) -> str:
    named = {"host": host, "status": response.status_code}
    if response.is_redirect:
        named["target"] = response.headers["Location"].partition("/reachable/")[0][:200]
        return (
            _(
                "%(host)s leads on to %(target)s. Write the address that it ends at into "
                "PUBLIC_URL, so that opting out needs no redirect."
            )
            % named
        )
    if response.status_code == requests.codes.bad_request:
        return (
            _(
                "%(host)s is answered with status 400. Add it to ALLOWED_HOSTS, and see that the "
                "web server in front passes the host name on."
            )
            % named
        )
    return (
        _(
            "Something else answers at %(host)s (status %(status)s). See where the name leads, "
            "and that the web server in front passes everything on to this Daypost."
        )
        % named
    )
