"""Which addresses a message may point to."""

import html
import re

LINK_SCHEMES = frozenset({"http", "https", "mailto", "tel", "cid"})
SOURCE_SCHEMES = frozenset({"http", "https", "cid"})
# Attributes that hold an address, with the schemes each may have.
URL_ATTRIBUTES = {"href": LINK_SCHEMES, "src": SOURCE_SCHEMES, "background": SOURCE_SCHEMES}

# Programs that show mail skip some of these when they look for the scheme (URL Standard 4.4),
# others skip more; here none counts.
_IGNORED = re.compile(
    "[\x00-\x20\x7f-\xa0\xad\u0600-\u0605\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]+"
)
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp)[;,]", re.IGNORECASE)


def scheme_of(url: str) -> str:
    """What stands before the colon, in small letters; empty for a relative address.

    Deliberately wide: a colon before any slash, question mark or hash ends a scheme, however odd
    what it holds, so that nothing a mail program might take for one passes as relative.
    """
    head, colon, _rest = _IGNORED.sub("", url).partition(":")
    if not colon or any(mark in head for mark in "/?#"):
        return ""
    return head.lower()


def is_allowed(attribute: str, url: str) -> bool:
    """Whether this attribute (a key of URL_ATTRIBUTES) may hold this address, entities resolved."""
    scheme = scheme_of(url)
    if scheme == "data":
        return attribute == "src" and bool(_DATA_IMAGE.match(_IGNORED.sub("", url)))
    return scheme == "" or scheme in URL_ATTRIBUTES[attribute]


# An attribute as the sanitiser writes it: in double quotes, which no value holds unescaped.
_TAG = re.compile(r'<[a-z][a-z0-9]*(?:\s[^<>"]*(?:"[^"]*"[^<>"]*)*)>')
_ATTRIBUTE = re.compile(r'\s(href|src|background)="([^"]*)"')


def check_rendered(rendered: str) -> str:
    """The rendered HTML of a sanitised template without the addresses it may not point to.

    What a contact's values or the template's conditions put together is known only now: a link to
    `javascript:` loses its target, an image its source. Needed only where `needs_check`.
    """
    return _TAG.sub(_without_forbidden, rendered)


def _without_forbidden(tag: re.Match[str]) -> str:
    return _ATTRIBUTE.sub(_checked, tag.group())


def _checked(attribute: re.Match[str]) -> str:
    name, value = attribute.groups()
    # The first for speed: nearly all are.
    if value.startswith(("https://", "http://")) or is_allowed(name, html.unescape(value)):
        return attribute.group()
    return ' href="#"' if name == "href" else ""


# Liquid in an address before its scheme is certain, which a colon, slash, question mark or hash
# would make it.
_UNCERTAIN = re.compile(r'\s(?:href|src|background)="[^":/?#{]*(?:\{[^{%":/?#]+)*\{[{%]')


def needs_check(sanitized: str) -> bool:
    """Whether what comes of this sanitised template must go through `check_rendered`."""
    return bool(_UNCERTAIN.search(sanitized))
