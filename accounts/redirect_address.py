"""Where Google sends the browser back to, for the address at which somebody uses Daypost."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from gmail.endpoints import is_loopback


@dataclass(frozen=True)
class RedirectAddress:
    """`reachable`: whether the browser ends here; otherwise its address has to be pasted.

    `browser_is_here`: whether it runs on this machine, and so reaches what listens only here.
    """

    url: str
    reachable: bool
    browser_is_here: bool


def redirect_address(request: HttpRequest) -> RedirectAddress:
    """Google redirects to https at a name, and to plain http on the person's own machine only.

    Whoever uses an instance at a plain address in the network is sent to their own machine, where
    nobody answers; but the browser's address bar then holds all that is needed.
    https://developers.google.com/identity/protocols/oauth2/web-server#uri-validation
    """
    path = reverse("admin:gmail_callback")
    if settings.PUBLIC_URL.startswith("https://") and _is_at(request, settings.PUBLIC_URL):
        return RedirectAddress(f"{settings.PUBLIC_URL}{path}", True, browser_is_here=False)
    parts = urlsplit(request.build_absolute_uri(path))
    host = parts.hostname or ""
    here = is_loopback(host)
    if here or (parts.scheme == "https" and _is_public_name(host)):
        return RedirectAddress(parts.geturl(), reachable=True, browser_is_here=here)
    port = f":{parts.port}" if parts.port else ""
    return RedirectAddress(f"http://localhost{port}{path}", False, browser_is_here=False)


def _is_at(request: HttpRequest, url: str) -> bool:
    return request.get_host() == urlsplit(url).netloc


def _is_public_name(host: str) -> bool:
    """Google takes no bare addresses and no names without a public ending."""
    return "." in host and not host.replace(".", "").isdigit() and ":" not in host
