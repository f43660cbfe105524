"""Reads HTML as mail programs do (html5lib), with masked Liquid kept where it stands."""

import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from django.utils.translation import gettext as _
from html5lib.treebuilders import getTreeBuilder

from campaigns.rendering.masking import Mask
from campaigns.rendering.pieces import Kind
from campaigns.rendering.problems import size_problem

# An author's mail has a few thousand elements, a few dozen deep. Reading HTML takes time that
# grows with the product of some of these, so they are limited before it hangs.
MAX_MARKS = 20_000  # less-than signs and ampersands
MAX_ELEMENTS = 15_000
MAX_DEPTH = 200
MAX_ATTRIBUTES = 500  # of one element

# Elements whose text HTML does not read as markup: a comment within them would be seen.
RAW_TEXT = frozenset(
    {"title", "style", "script", "textarea", "xmp", "iframe", "noembed", "noframes"}
)

_BuilderBase: Any = getTreeBuilder("etree")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_BETWEEN_ATTRIBUTES = re.compile(r"[\s/=]+")


class MarkupError(ValueError):
    """The HTML cannot be read; says why in a sentence."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def read(mask: Mask) -> Element:
    """The masked HTML as an `html` element with its head and body, names without namespaces.

    Each word of the mask that stands in text is a comment whose text is the word: HTML lets a
    comment stand anywhere, while text between the rows of a table is moved out of it. In
    attributes the words stay as they are. Comments of the author are left out, but what they hold
    of Liquid tags stays, since some write `<!-- {% if x %} -->`.

    Raises MarkupError when there is more of it than a mail can have.
    """
    source = _without_comments(mask)
    _refuse_hostile(source)

    class Builder(_LiquidTreeBuilder):
        liquid = mask

    parser = html5lib.HTMLParser(tree=Builder, namespaceHTMLElements=False)
    # A document type always, so that all is read by the same rules (WHATWG HTML 13.2.6.4.1).
    root: Element = parser.parse(f"<!DOCTYPE html>{source}")
    return root


class _LiquidTreeBuilder(_BuilderBase):
    """Overrides what the tree builder calls; the names are html5lib's."""

    liquid: Mask

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.elements = 0

    def createElement(self, token: dict[str, Any]) -> Any:
        self._count()
        return super().createElement(token)

    def insertElementNormal(self, token: dict[str, Any]) -> Any:
        self._count()
        return super().insertElementNormal(token)

    def _count(self) -> None:
        self.elements += 1
        if self.elements > MAX_ELEMENTS or len(self.openElements) > MAX_DEPTH:
            raise MarkupError(_("This HTML is nested too deeply or too large. Simplify it."))

    def insertText(self, data: str, parent: Any = None) -> None:
        current = parent or self.openElements[-1]
        if current.name in RAW_TEXT or not self.liquid.is_in(data):
            super().insertText(data, parent)
            return
        position = 0
        for word in self.liquid.word.finditer(data):
            self._insert_literal(data[position : word.start()], parent)
            super().insertComment({"data": word.group()}, current)
            position = word.end()
        self._insert_literal(data[position:], parent)

    def _insert_literal(self, data: str, parent: Any) -> None:
        if not data:
            return
        if data.isspace():
            # As HTML does with white space alone: it may stay between the rows of a table.
            (parent or self.openElements[-1]).insertText(data)
        else:
            super().insertText(data, parent)

    def insertComment(self, token: dict[str, Any], parent: Any = None) -> None:
        """No comments but ours."""


def _without_comments(mask: Mask) -> str:
    """The masked text with the tags of Liquid that stand in a comment instead of the comment."""
    parts = []
    position = 0
    while (start := mask.text.find("<!--", position)) >= 0:
        parts.append(mask.text[position:start])
        # `<!-->` is a whole comment (WHATWG HTML 13.2.5.44).
        end = mask.text.find("-->", start + 2)
        position = len(mask.text) if end < 0 else end + 3
        comment = mask.text[start:position]
        parts.extend(
            word.group()
            for word, piece in zip(
                mask.word.finditer(comment), mask.pieces_in(comment), strict=True
            )
            if piece.kind is Kind.TAG
        )
    return "".join((*parts, mask.text[position:]))


def _refuse_hostile(source: str) -> None:
    if problem := size_problem(source):
        raise MarkupError(problem.sentence)
    if source.count("<") + source.count("&") > MAX_MARKS:
        raise MarkupError(_("This HTML is too large. Simplify it."))
    for tag in source.split("<")[1:]:
        if len(tag) > MAX_ATTRIBUTES:
            unquoted = _QUOTED.sub("", tag.partition(">")[0])
            if len(_BETWEEN_ATTRIBUTES.findall(unquoted)) > 2 * MAX_ATTRIBUTES:
                raise MarkupError(_("An element has too many attributes. Simplify the HTML."))


def is_word(element: Element) -> bool:
    """Whether the node is a word of the mask (its text) rather than an element."""
    return not isinstance(element.tag, str)  # the tag of a comment is the function Comment


def is_foreign(element: Element) -> bool:
    """Whether it belongs to SVG or MathML, by whose rules what it holds is read."""
    return str(element.tag).startswith("{")


def name_of(element: Element) -> str:
    """The element's name in small letters, without its namespace."""
    return str(element.tag).rpartition("}")[2]


def elements_in(element: Element) -> Iterator[Element]:
    """The elements within this one in document order, words of the mask left out."""
    return (inner for inner in element.iter() if inner is not element and not is_word(inner))
