"""The links of a message, and what can be said of them without asking the network."""

import re
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from campaigns.rendering.markup import read
from campaigns.rendering.masking import Mask
from campaigns.rendering.urls import LINK_SCHEMES, scheme_of

_WHITE_SPACE = re.compile(r"\s+")
_LIQUID = re.compile(r"\{\{|\{%")
_HOST = re.compile(r"[^\s.@:/?#\[\]\\<>\"'{}]+(?:\.[^\s.@:/?#\[\]\\<>\"'{}]+)+\.?")
_MAILBOX = re.compile(r"[^\s@?]+@[^\s@?]+\.[^\s@?]+")
# Names that mean something only on this machine or in this house (RFC 6761, RFC 6762).
_LOCAL_ENDINGS = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


@dataclass(frozen=True, slots=True)
class Link:
    """An address, entities resolved, and the text that shows it, in one line."""

    url: str
    text: str


@dataclass(frozen=True, slots=True)
class LinkProblem:
    link: Link
    sentence: str


def links_in(html: str) -> list[Link]:
    """The links of sanitised HTML in order, rendered or with its Liquid still in it.

    Raises MarkupError.
    """
    mask = Mask(html)
    return [
        Link(
            mask.unmask(anchor.get("href") or "").strip(),
            mask.unmask(_WHITE_SPACE.sub(" ", "".join(anchor.itertext()))).strip(),
        )
        for anchor in read(mask).iter("a")
        if anchor.get("href") is not None
    ]


def check_links(html: str, *, rendered: bool = True) -> list[LinkProblem]:
    """What is wrong with the links, each once. With `rendered=False`, for a template, the
    links that Liquid has a part in are left aside: what becomes of them is not known yet.

    Raises MarkupError.
    """
    return [
        LinkProblem(link, sentence)
        for link in dict.fromkeys(links_in(html))
        if (rendered or not _LIQUID.search(link.url)) and (sentence := _problem_with(link.url))
    ]


def _problem_with(url: str) -> str | None:
    scheme = scheme_of(url)
    names = {"url": url, "scheme": scheme}
    if not url or url == "#":
        return _("A link goes nowhere. Give it an address.")
    if _LIQUID.search(url):
        return _("The address `%(url)s` is not filled in.") % names
    if url.startswith("#"):
        return None
    if not scheme:
        return _("The address `%(url)s` does not begin with https://.") % names
    if scheme not in LINK_SCHEMES:
        return _("Mail programs do not open addresses that begin with `%(scheme)s:`.") % names
    if scheme == "mailto":
        mailbox = url.partition(":")[2].partition("?")[0]
        return None if _MAILBOX.fullmatch(mailbox) else _("`%(url)s` is no mail address.") % names
    if scheme == "tel":
        return None if re.search(r"\d", url) else _("`%(url)s` is no telephone number.") % names
    if scheme in ("http", "https"):
        return _problem_with_web_address(url)
    return None


def _problem_with_web_address(url: str) -> str | None:
    malformed = _("The address `%(url)s` is not complete or misspelt.") % {"url": url}
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _port = parts.port
    except ValueError:
        return malformed
    if _WHITE_SPACE.search(url) or not url.partition(":")[2].startswith("//"):
        return malformed
    if _is_local(host):
        return _("The address `%(url)s` works only on this machine or network.") % {"url": url}
    return None if _HOST.fullmatch(host) or ":" in host else malformed


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(_LOCAL_ENDINGS):
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False
