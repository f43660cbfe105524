"""Cleans CSS: what is not known to be harmless is left out, and said.

Everything is read by tinycss2 and written anew from its tokens, in a form that holds no double
quote, angle bracket, backslash or brace of its own, so that it can end neither a `style`
attribute nor a `<style>` element.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import tinycss2  # type: ignore[import-untyped]
from django.utils.translation import gettext as _

from campaigns.rendering.masking import Mask
from campaigns.rendering.urls import scheme_of

# Called with a plain name of what was left out, such as "position" or "@import".
Report = Callable[[str], None]

PROPERTIES = frozenset(
    name
    for line in (
        "background background-color background-image background-position background-repeat",
        "background-size border border-collapse border-color border-radius border-spacing",
        "border-style border-width border-top border-top-color border-top-style border-top-width",
        "border-right border-right-color border-right-style border-right-width border-bottom",
        "border-bottom-color border-bottom-style border-bottom-width border-left",
        "border-left-color border-left-style border-left-width border-top-left-radius",
        "border-top-right-radius border-bottom-left-radius border-bottom-right-radius box-shadow",
        "box-sizing caption-side clear color color-scheme column-gap direction display",
        "empty-cells float font font-family font-size font-style font-variant font-weight gap",
        "height hyphens letter-spacing line-height list-style list-style-position",
        "list-style-type margin margin-top margin-right margin-bottom margin-left max-height",
        "max-width min-height min-width object-fit opacity outline overflow overflow-wrap",
        "overflow-x overflow-y padding padding-top padding-right padding-bottom padding-left",
        "quotes row-gap table-layout text-align text-decoration text-decoration-color",
        "text-decoration-line text-decoration-style text-indent text-overflow text-shadow",
        "text-size-adjust text-transform unicode-bidi vertical-align visibility white-space width",
        "word-break word-spacing word-wrap -webkit-font-smoothing -moz-osx-font-smoothing",
        "-webkit-text-size-adjust -ms-text-size-adjust -ms-interpolation-mode",
        "align-items flex flex-direction flex-wrap justify-content",
    )
    for name in line.split()
)
# Outlook's own, all about layout: mso-line-height-rule, mso-table-lspace...
_OUTLOOK = re.compile(r"mso-[a-z-]+")
_FUNCTIONS = frozenset(
    ["rgb", "rgba", "hsl", "hsla", "calc", "min", "max", "clamp", "linear-gradient"]
    + ["radial-gradient", "url"]
)
_URL_SCHEMES = frozenset({"https", "cid"})
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/=]*")

_IDENT = re.compile(r"-{0,2}[A-Za-z_][A-Za-z0-9_-]*")
_HASH = re.compile(r"[A-Za-z0-9]+")
_STRING = re.compile(r"[^\x00-\x1f\"'\\<>{}]*")
_URL = re.compile(r"[^\x00-\x20\"'()\\<>{}]+")
_LITERALS = frozenset(",/+-*")
_SELECTOR = re.compile(r"[A-Za-z0-9_\s.#,>+~*:()\[\]=^$|\"'-]+", re.ASCII)
_MEDIA = re.compile(r"[A-Za-z0-9_\s():,./>=-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Stylesheet:
    """Cleaned rules. `plain` can be written into the elements they are for; `conditional` (media
    queries, :hover and the like) works only as a `<style>` and is marked important there, as it
    must win over what was written into the elements."""

    plain: str
    conditional: str


@dataclass(frozen=True, slots=True)
class CssCleaner:
    """Cleans the CSS of one template. Liquid has no place in it: what a contact's value would do
    to a style is not known before each message is rendered."""

    mask: Mask
    report: Report

    def declarations(self, css: str) -> str:
        """The declarations of a `style` attribute, in one line."""
        return self._declarations(tinycss2.parse_blocks_contents(css))

    def stylesheet(self, css: str) -> Stylesheet:
        plain: list[str] = []
        conditional: list[str] = []
        for rule in _rules(css):
            if rule.type == "at-rule" and rule.lower_at_keyword == "media":
                conditional.extend(self._media(rule))
            elif rule.type == "at-rule":
                if rule.lower_at_keyword != "charset":
                    self.report(f"@{rule.lower_at_keyword}")
            elif rule.type == "qualified-rule":
                selector = self._selector(rule)
                if ":" in selector:
                    conditional.extend(self._rule(rule, selector, important=True))
                elif selector:
                    plain.extend(self._rule(rule, selector))
        return Stylesheet("\n".join(plain), "\n".join(conditional))

    def _media(self, rule: Any) -> Iterator[str]:
        condition = self._without_liquid(_one_space(tinycss2.serialize(rule.prelude)))
        if rule.content is None or not _MEDIA.fullmatch(condition):
            self.report("@media")
            return
        inner = [
            line
            for nested in _rules(rule.content)
            if nested.type == "qualified-rule"
            for line in self._rule(nested, self._selector(nested), important=True)
        ]
        if inner:
            yield f"@media {condition} {{"
            yield from inner
            yield "}"

    def _selector(self, rule: Any) -> str:
        """The selector as written; empty when it holds what one for mail does not need."""
        selector = self._without_liquid(_one_space(tinycss2.serialize(rule.prelude)))
        if selector and _SELECTOR.fullmatch(selector):
            return selector
        self.report("<style>")
        return ""

    def _rule(self, rule: Any, selector: str, *, important: bool = False) -> Iterator[str]:
        content = tinycss2.parse_blocks_contents(rule.content)
        declarations = self._declarations(content, important=important)
        if selector and declarations:
            yield f"{selector} {{ {declarations} }}"

    def _declarations(self, content: Iterable[Any], *, important: bool = False) -> str:
        written = []
        for declaration in content:
            if declaration.type != "declaration":
                continue
            name = self._without_liquid(declaration.lower_name)
            value = _value(declaration.value) if _is_known(name) else None
            if value and self._without_liquid(value):
                mark = " !important" if important or declaration.important else ""
                written.append(f"{name}: {value}{mark}")
            elif _IDENT.fullmatch(name) and not value:
                self.report(name)
        return "; ".join(written)

    def _without_liquid(self, css: str) -> str:
        if self.mask.is_in(css):
            self.report(_("Liquid in a style"))
            return ""
        return css


def _rules(css: str | list[Any]) -> Iterable[Any]:
    rules: list[Any] = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    return rules


def _is_known(name: str) -> bool:
    return name in PROPERTIES or bool(_OUTLOOK.fullmatch(name))


def _value(tokens: Iterable[Any]) -> str | None:
    """The value written anew, or None when a part of it is not known to be harmless."""
    parts = []
    for token in tokens:
        part = _token(token)
        if part is None:
            return None
        parts.append(part)
    return _one_space("".join(parts))


def _token(token: Any) -> str | None:
    match token.type:
        case "whitespace" | "comment":
            return " "
        case "ident":
            return token.value if _IDENT.fullmatch(token.value) else None
        case "number" | "percentage" | "dimension":
            return _number(token)
        case "hash":
            return f"#{token.value}" if _HASH.fullmatch(token.value) else None
        case "string":
            return f"'{token.value}'" if _STRING.fullmatch(token.value) else None
        case "literal":
            return token.value if token.value in _LITERALS else None
        case "() block":
            inner = _value(token.content)
            return None if inner is None else f"({inner})"
        case "url":
            return _url(token.value)
        case "function":
            return _function(token)
    return None


def _number(token: Any) -> str | None:
    unit = {"percentage": "%", "dimension": getattr(token, "unit", "")}.get(token.type, "")
    text = f"{token.representation}{unit}"
    return text if re.fullmatch(r"[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?(?:%|[A-Za-z]*)", text) else None


def _function(token: Any) -> str | None:
    if token.lower_name not in _FUNCTIONS:
        return None
    if token.lower_name == "url":
        strings = [part for part in token.arguments if part.type != "whitespace"]
        return _url(strings[0].value) if [part.type for part in strings] == ["string"] else None
    arguments = _value(token.arguments)
    return None if arguments is None else f"{token.lower_name}({arguments})"


def _url(url: str) -> str | None:
    if not _URL.fullmatch(url):
        return None
    if scheme_of(url) in _URL_SCHEMES or _DATA_IMAGE.fullmatch(url):
        return f"url('{url}')"
    return None


def _one_space(css: str) -> str:
    return re.sub(r"\s+", " ", css).strip()
