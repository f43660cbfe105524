"""The plain-text part, made from the sanitised HTML while the Liquid is still in it.

Our own, as the libraries that turn HTML into text lay it out for a screen of fixed width: they
pad columns to the width of what is in them, which here is Liquid, and lose the Liquid between the
rows of a table.
"""

import re
from xml.etree.ElementTree import Element

from campaigns.rendering.markup import elements_in, is_word, name_of, read
from campaigns.rendering.masking import Mask
from campaigns.rendering.pieces import Kind, block_fault

# Elements that stand on lines of their own, some with an empty line around them.
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "figure", "dl", "hr"})
_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "caption", "center", "dd", "div", "dt", "footer"}
    | {"figcaption", "header", "li", "main", "nav", "ol", "section", "table", "tr", "ul"}
)
_CELLS = ("td", "th")
_WHITE_SPACE = re.compile(r"[ \t\n\r\f\xa0]+")
_HIDDEN = re.compile(r"display:\s*none")
_RULE = "-" * 20


def plain_text(html: str) -> str:
    """Made once, when content is frozen; then rendered for each message by `merge.render_text`.

    Links show as `text (address)`, the cells of a row with a bar between them, lists with dashes
    or numbers. Lines end in a line feed alone, and none ends in a space. Raises MarkupError.
    """
    mask = Mask(html)
    body = read(mask).find("body")
    writer = _Writer(mask)
    if body is not None:
        writer.children(body)
    text = writer.text()
    if mask.is_closed:
        # Braces that are text in the HTML stay text.
        text = re.sub(r"\{(?=[{%]|" + mask.marker + ")", '{{ "{" }}', text)
    return mask.unmask(text) + "\n"


class _Writer:
    """Writes what it is shown, and puts off spaces, line ends and bars until text follows."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.written: list[str] = []
        self.has_text = False  # somewhere; what is before the first text needs no line end
        self.line_ends = 0  # put off
        self.line_ends_written = 0  # since the last text
        self.gap = ""  # put off: a space, or the bar between two cells
        self.at_line_start = True
        self.indent = ""
        self.bullet = ""  # of a list item whose first line is not yet begun
        self.is_pre = False

    def text(self) -> str:
        lines = "".join(self.written).split("\n")
        return "\n".join(line.rstrip() for line in lines).strip("\n")

    def children(self, element: Element) -> None:
        self.literal(element.text or "")
        for child in element:
            if is_word(child):
                self.word(child.text or "")
            elif not self.is_hidden(child):
                self.element(child)
            self.literal(child.tail or "")

    def element(self, element: Element) -> None:
        match name_of(element):
            case "br":
                self.line_ends = min(self.line_ends + 1, 2)
            case "hr":
                self.block_begins(2)
                self.put(_RULE)
                self.block_begins(2)
            case "img":
                self.literal(element.get("alt") or "")
            case "a":
                self.link(element)
            case "ol" | "ul":
                self.items(element)
            case name if name in _CELLS:
                self.cell(element)
            case name if name in _PARAGRAPHS or name in _BLOCKS:
                self.block(element, 2 if name in _PARAGRAPHS else 1)
            case _:
                self.children(element)

    def block(self, element: Element, line_ends: int) -> None:
        self.block_begins(line_ends)
        was_pre, self.is_pre = self.is_pre, self.is_pre or name_of(element) == "pre"
        was_indent = self.indent
        if name_of(element) == "blockquote":
            self.indent += "> "
        self.children(element)
        self.is_pre, self.indent = was_pre, was_indent
        self.block_begins(line_ends)

    def block_begins(self, line_ends: int) -> None:
        self.line_ends = max(self.line_ends, line_ends)
        self.gap = ""

    def items(self, element: Element) -> None:
        outermost = not self.indent
        self.block_begins(2 if outermost else 1)
        # In a loop every item would get the number of the first.
        numbered = name_of(element) == "ol" and not any(is_word(child) for child in element)
        start = element.get("start") or "1"
        number = int(start) if start.isascii() and start.isdigit() else 1
        self.literal(element.text or "")
        for child in element:
            if is_word(child):
                self.word(child.text or "")
            elif name_of(child) == "li":
                self.item(child, f"{number}. " if numbered else "- ")
                number += 1
            else:
                self.element(child)
            self.literal(child.tail or "")
        self.block_begins(2 if outermost else 1)

    def item(self, element: Element, bullet: str) -> None:
        self.block_begins(1)
        was_indent = self.indent
        self.bullet = self.indent + bullet
        self.indent += " " * len(bullet)
        self.children(element)
        self.indent, self.bullet = was_indent, ""
        self.block_begins(1)

    def cell(self, element: Element) -> None:
        self.children(element)
        is_layout = any(
            name_of(inner) in _PARAGRAPHS or name_of(inner) in _BLOCKS
            for inner in elements_in(element)
        )
        if is_layout:
            self.block_begins(1)
        elif not self.at_line_start:
            self.gap = " | "

    def link(self, element: Element) -> None:
        shown_from = len(self.written)
        self.children(element)
        shown = "".join(self.written[shown_from:]).strip()
        address = (element.get("href") or "").strip()
        if not address or address.startswith("#") or address in (shown, f"mailto:{shown}"):
            return
        if shown:
            self.gap = self.gap or " "
            self.put(f"({address})")
        else:
            self.put(address)

    def literal(self, data: str) -> None:
        if self.is_pre:
            first, *others = data.replace("\xa0", " ").split("\n")
            self.put(first)
            for line in others:
                self.line_ends += 1
                self.put(line)
            return
        words = _WHITE_SPACE.sub(" ", data.replace("\xad", ""))
        if words.startswith(" "):
            self.gap = self.gap or " "
        if stripped := words.strip(" "):
            self.put(stripped)
            if words.endswith(" "):
                self.gap = " "

    def word(self, word: str) -> None:
        """A piece of Liquid: what it puts out is text, while a tag only stands between texts."""
        piece = self.mask.pieces_in(word)[0]
        if piece.kind is Kind.OUTPUT:
            self.put(word)
            return
        # What was put off belongs to what is before the tag: to each turn of a loop.
        if self.bullet:
            self.put("")
        self.put_what_was_put_off()
        self.written.append(word)

    def put(self, text: str) -> None:
        if not text and not self.bullet:
            return
        self.put_what_was_put_off()
        if self.at_line_start:
            self.written.append(self.bullet or self.indent)
            self.bullet = ""
        self.written.append(text)
        self.has_text = True
        self.at_line_start = False
        self.line_ends_written = 0

    def put_what_was_put_off(self) -> None:
        if self.line_ends and self.has_text:
            missing = max(self.line_ends - self.line_ends_written, 0)
            self.written.append("\n" * missing)
            self.line_ends_written += missing
            self.at_line_start = True
        elif self.gap and not self.at_line_start:
            self.written.append(self.gap)
        self.line_ends = 0
        self.gap = ""

    def is_hidden(self, element: Element) -> bool:
        """Whether it is not shown, and can be left out without breaking a block of Liquid."""
        if not _HIDDEN.search(element.get("style") or ""):
            return False
        words = "".join(inner.text or "" for inner in element.iter() if is_word(inner))
        return block_fault(self.mask.pieces_in(words)) is None
