"""Makes the HTML of a template safe, once, when it is saved.

The order, and why it holds:

1. The Liquid is masked (`masking`): every piece becomes a word.
2. The HTML is read (`markup`). Scripts, frames and the like go with all they hold; style sheets are
   taken out, cleaned (`stylesheet`) and written into the elements by css-inline, except for what
   works only as a style sheet (media queries, :hover).
3. bleach judges what is left: elements, attributes, addresses, styles.
4. The Liquid is put back, and all of it is done again until a round changes nothing. So what is
   saved is a fixed point: it was judged in the very form in which it is saved.

After that a message is rendered without looking at its HTML again, since Liquid can change only
what it stands in, and it stands only in text and in quoted attributes:

- Every value is escaped where it is put out (`environment`).
- A block that begins in an attribute ends in it; where one does not, the attribute goes. So no
  condition can drop the quote that ends an attribute.
- Liquid in the name of an element or attribute, and in CSS, is left out.
- Addresses that Liquid has a part in are the one exception: `urls.check_rendered` sees to them.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import css_inline
import html5lib
from bleach.css_sanitizer import CSSSanitizer
from bleach.sanitizer import Cleaner
from django.utils.translation import gettext as _
from html5lib.serializer import HTMLSerializer

from campaigns.rendering.markup import (
    MarkupError,
    elements_in,
    is_foreign,
    is_word,
    name_of,
    read,
)
from campaigns.rendering.masking import Mask
from campaigns.rendering.pieces import block_fault
from campaigns.rendering.stylesheet import CssCleaner
from campaigns.rendering.urls import URL_ATTRIBUTES, is_allowed, scheme_of

__all__ = ["MarkupError", "SanitizedHtml", "sanitize"]

TAGS = frozenset({
    "a", "abbr", "acronym", "address", "article", "aside", "b", "bdi", "bdo", "big",
    "blockquote", "br", "caption", "center", "cite", "code", "col", "colgroup", "dd", "del",
    "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "mark",
    "nav", "ol", "p", "pre", "q", "s", "samp", "section", "small", "span", "strike",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr",
    "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
# Left out with all they hold; other elements that are not in TAGS only lose their tags.
REMOVED_WHOLE = frozenset({
    "applet", "audio", "button", "canvas", "datalist", "embed", "frame", "frameset",
    "iframe", "math", "noembed", "noframes", "object", "script", "select", "style", "svg",
    "template", "textarea", "title", "video", "xmp",
})  # fmt: skip
# Not worth a word: they hold the page together, and their part is played by what is written anew.
_SILENT = frozenset(["body", "head", "html", "link", "meta", "style", "title"])

_ANY_ELEMENT = frozenset({
    "align", "bgcolor", "border", "class", "dir", "height", "id", "lang", "role", "style",
    "title", "valign", "width",
})  # fmt: skip
_ATTRIBUTES = {
    "a": {"href", "target"},
    "blockquote": {"type"},
    "col": {"span"},
    "colgroup": {"span"},
    "font": {"color", "face", "size"},
    "hr": {"color", "noshade", "size"},
    "img": {"alt", "hspace", "src", "vspace"},
    "li": {"type", "value"},
    "ol": {"reversed", "start", "type"},
    "table": {"background", "cellpadding", "cellspacing", "frame", "rules", "summary"},
    "td": {"abbr", "background", "colspan", "headers", "nowrap", "rowspan", "scope"},
    "th": {"abbr", "background", "colspan", "headers", "nowrap", "rowspan", "scope"},
    "time": {"datetime"},
    "tr": {"background"},
    "ul": {"type"},
}
_ARIA = re.compile(r"aria-[a-z]+")
_META_NAMES = frozenset(
    ["viewport", "color-scheme", "supported-color-schemes", "format-detection"]
    + ["x-apple-disable-message-reformatting"]
)
_META_CONTENT = re.compile(r"[A-Za-z0-9 .,;=-]*", re.ASCII)
_OF_HTML = ("lang", "dir")
_NOT_WORTH_A_WORD = re.compile(
    r"data-.*|xml.*|item.*|rel|name|srcset|sizes|loading|tabindex|alt|hspace"
)
_DOCUMENT = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
_FOR_OUTLOOK = re.compile(r"<!--\s*\[if\b(?!\s*!)", re.IGNORECASE)
_WHITE_SPACE = " \t\n\r\f"  # HTML's: a no-break space is none

# A round that changes something is followed by another. Two are usual, four were needed for
# formatting that crosses tables.
MAX_ROUNDS = 8

_WALKER = html5lib.getTreeWalker("etree")
_SERIALIZER = HTMLSerializer(
    quote_attr_values="always",
    omit_optional_tags=False,
    resolve_entities=False,
    escape_lt_in_attrs=True,
)


def _liquid_in_tag() -> str:
    return _("Liquid inside a tag")


@dataclass(frozen=True, slots=True)
class SanitizedHtml:
    """HTML that is safe to render, and plain names of what was taken out of it: "<script>",
    "onclick", "javascript: address", in the order found, each once."""

    html: str
    removed: tuple[str, ...]


def sanitize(source: str) -> SanitizedHtml:
    """The template with all its Liquid and without what a mail must not hold.

    A fragment stays a fragment; a whole document, and whatever needs a style sheet, becomes a
    document again, its head reduced to what mail programs heed. Liquid that is not closed, or
    whose blocks do not fit, is left as it is, for `merge.check` to find.

    Text without any markup becomes paragraphs: who types a letter means its line breaks.

    Raises MarkupError for HTML that is too large or too tangled.
    """
    source = paragraphs(source)
    removed: dict[str, None] = {}
    for _round in range(MAX_ROUNDS):
        # What is left may be text alone, where there was markup that is not allowed.
        cleaned = paragraphs(_Round(source, removed).result())
        if cleaned == source:
            return SanitizedHtml(cleaned, tuple(removed))
        source = cleaned
    raise MarkupError(_("Mail programs would read this HTML in different ways. Simplify it."))


_TAG = re.compile(r"<[a-zA-Z/!]")


def paragraphs(source: str) -> str:
    """Text with line breaks as HTML paragraphs; anything with markup as it stands."""
    text = source.replace("\r\n", "\n").strip()
    if "\n" not in text or _TAG.search(text):
        return source
    parts = re.split(r"\n{2,}", text)
    return "\n".join(f"<p>{part}</p>".replace("\n", "<br>\n") for part in parts)


class _StyleJudge(CSSSanitizer):
    """Lets bleach judge style attributes by our rules."""

    def __init__(self, css: CssCleaner) -> None:
        super().__init__()
        self.css = css

    def sanitize_css(self, style: str) -> str:
        # bleach hands over attributes as they are written, entities and all.
        return self.css.declarations(html.unescape(style))


class _Round:
    """One pass over a template."""

    def __init__(self, source: str, removed: dict[str, None]) -> None:
        self.removed = removed
        self.mask = Mask(source)
        self.css = CssCleaner(self.mask, self.report)
        self.bleach = Cleaner(
            tags=TAGS,
            attributes=self.may_have,
            protocols=[*URL_ATTRIBUTES["href"], "data"],
            strip=True,
            strip_comments=False,
            css_sanitizer=_StyleJudge(self.css),
        )

    def report(self, what: str) -> None:
        self.removed[what] = None

    def result(self) -> str:
        if _FOR_OUTLOOK.search(self.mask.text):
            self.report(_("a part for Outlook only"))
        root = read(self.mask)
        styles = self.css.stylesheet("\n".join(_style_sheets(root)))
        title = self.title(root)
        self.remove_whole(root)
        self.report_unknown(root)
        body = root.find("body")
        if body is None:  # a page of frames
            return ""
        page = _Page(
            html_attributes=self.attributes({k: v for k, v in root.items() if k in _OF_HTML}),
            meta=_kept_meta(root),
            title=title,
            css=styles.conditional,
            body_attributes=self.attributes(dict(body.items())),
            body=self.clean(_inner_html(body)).strip(_WHITE_SPACE),
            is_document=bool(styles.conditional or _DOCUMENT.search(self.mask.text)),
        )
        return self.finish(_inlined(page, styles.plain))

    def title(self, root: Element) -> str:
        """The title's text, escaped. It is no markup, but Liquid may have a part in it."""
        found = root.find(".//title")
        text = "" if found is None else "".join(found.itertext()).strip(_WHITE_SPACE)
        if block_fault(self.mask.pieces_in(text)):
            self.report(_("Liquid that begins or ends inside the title"))
            return ""
        return html.escape(text, quote=False)

    def remove_whole(self, parent: Element) -> None:
        previous: Element | None = None
        for child in list(parent):
            if is_word(child) or not (is_foreign(child) or name_of(child) in REMOVED_WHOLE):
                self.remove_whole(child)
                previous = child
                continue
            if name_of(child) not in _SILENT:
                self.report(f"<{name_of(child)}>")
            following = child.tail or ""
            if previous is None:
                parent.text = (parent.text or "") + following
            else:
                previous.tail = (previous.tail or "") + following
            parent.remove(child)

    def report_unknown(self, root: Element) -> None:
        """Says which elements lose their tags; it is bleach that takes them."""
        for element in elements_in(root):
            name = name_of(element)
            if self.mask.is_in(name):
                self.report(_liquid_in_tag())
            elif name == "link" and "stylesheet" in (element.get("rel") or "").lower():
                self.report(_("a linked style sheet"))
            elif name == "meta" and (element.get("http-equiv") or "").lower() == "refresh":
                self.report("<meta refresh>")
            elif name not in TAGS and name not in _SILENT:
                self.report(f"<{name}>")

    def attributes(self, attributes: dict[str, str]) -> str:
        """Attributes of html or body, judged as those of a div and written with a space before."""
        cleaned = self.clean(_serialized(Element("div", attributes)))
        return cleaned.removeprefix("<div").removesuffix("></div>")

    def clean(self, markup: str) -> str:
        """What bleach leaves, and of comments only those that are words of the mask."""
        return _COMMENT.sub(
            lambda comment: comment.group() if self.mask.word.fullmatch(comment.group(1)) else "",
            self.bleach.clean(markup),
        )

    def may_have(self, element: str, attribute: str, value: str) -> bool:
        if self.mask.is_in(attribute):
            self.report(_liquid_in_tag())
            return False
        if not _is_known(element, attribute):
            if not _NOT_WORTH_A_WORD.fullmatch(attribute):
                self.report(attribute)
            return False
        if block_fault(self.mask.pieces_in(value)):
            self.report(_("Liquid that begins or ends inside an attribute"))
            return False
        if attribute == "style":
            return bool(self.css.declarations(html.unescape(value)))
        if attribute == "target":
            return value == "_blank"
        return attribute not in URL_ATTRIBUTES or self.may_point_to(attribute, value)

    def may_point_to(self, attribute: str, value: str) -> bool:
        url = html.unescape(value)
        scheme = scheme_of(url)
        # With Liquid before the colon the scheme is known only in the message:
        # `urls.check_rendered`.
        if self.mask.is_in(scheme) or is_allowed(attribute, url):
            return True
        self.report(_("%(scheme)s: address") % {"scheme": scheme[:40]})
        return False

    def finish(self, text: str) -> str:
        """The text as it is saved: with its Liquid, and as much like what was typed as can be."""
        text = _COMMENT.sub(r"\1", text)
        if "<tbody" not in self.mask.text.lower():
            # Implied by the rows. With a loop around the rows, it would begin again in each turn.
            text = text.replace("<tbody>", "").replace("</tbody>", "")
        if self.mask.is_closed:
            # Braces that were written as entities, or that came together only now, are text.
            text = re.sub(r"\{(?=[{%]|" + self.mask.marker + ")", "&#123;", text)
        return self.mask.unmask(text.replace("\xa0", "&nbsp;"))


@dataclass(frozen=True, slots=True)
class _Page:
    """The parts of a template, clean and still masked; attributes with a space before them."""

    html_attributes: str
    meta: str
    title: str
    css: str
    body_attributes: str
    body: str
    is_document: bool

    def __str__(self) -> str:
        if not self.is_document:
            return self.body
        title = f"<title>{self.title}</title>\n" if self.title else ""
        style = f"<style>\n{self.css}\n</style>\n" if self.css else ""
        return (
            f"<!DOCTYPE html>\n<html{self.html_attributes}>\n<head>\n"
            f'<meta charset="utf-8">\n{self.meta}{title}{style}</head>\n'
            f"<body{self.body_attributes}>\n{self.body}\n</body>\n</html>\n"
        )


def _inlined(page: _Page, css: str) -> str:
    if not css:
        return str(page)
    if not page.is_document:
        return css_inline.inline_fragment(page.body, css, load_remote_stylesheets=False)
    inliner = css_inline.CSSInliner(
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
        extra_css=css,
    )
    return inliner.inline(str(page))


def _style_sheets(root: Element) -> Iterator[str]:
    for style in root.iter("style"):
        css = "".join(style.itertext())
        media = (style.get("media") or "all").strip()
        yield css if media in ("all", "screen") else f"@media {media} {{ {css} }}"


def _kept_meta(root: Element) -> str:
    kept = {
        name: content
        for meta in root.iter("meta")
        if (name := (meta.get("name") or "").lower()) in _META_NAMES
        and _META_CONTENT.fullmatch(content := meta.get("content") or "")
    }
    return "".join(f'<meta name="{name}" content="{kept[name]}">\n' for name in kept)


def _is_known(element: str, attribute: str) -> bool:
    return (
        attribute in _ANY_ELEMENT
        or attribute in _ATTRIBUTES.get(element, ())
        or bool(_ARIA.fullmatch(attribute))
    )


def _inner_html(body: Element) -> str:
    alone = Element("body")
    alone.text = body.text
    alone.extend(body)
    return _serialized(alone).removeprefix("<body>").removesuffix("</body>")


def _serialized(element: Element) -> str:
    written: str = _SERIALIZER.render(_WALKER(element))
    return written
