"""Cuts a template into its literal text and its Liquid, the way Liquid itself cuts it.

Everything that must look at a template before Liquid does (the check while it is written, the
mask that carries it through the sanitiser) looks at these pieces, so that all agree on where
Liquid begins and ends: at the first closing mark after an opening one, quoted or not.
"""

import enum
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_OPENER = re.compile(r"\{\{|\{%")
_NAME = re.compile(r"\{%-?\s*(#|\w+)")
_CLOSERS = {"{{": "}}", "{%": "%}"}

# Block tags, with what ends them.
BLOCKS = {
    "if": "endif",
    "unless": "endunless",
    "case": "endcase",
    "for": "endfor",
    "capture": "endcapture",
    "comment": "endcomment",
}
_ENDS = {end: name for name, end in BLOCKS.items()}
# Tags that mean something only directly inside these blocks.
_MIDDLES = {
    "else": ("if", "unless", "case", "for"),
    "elsif": ("if", "unless"),
    "when": ("case",),
}
_INSIDE_A_LOOP = ("break", "continue")
TAG_NAMES = frozenset({*BLOCKS, *_ENDS, *_MIDDLES, *_INSIDE_A_LOOP, "assign", "#"})


class Kind(enum.Enum):
    TEXT = "text"
    OUTPUT = "output"  # {{ ... }}
    TAG = "tag"  # {% ... %}
    UNCLOSED = "unclosed"  # from an opening mark without a closing one to the end


@dataclass(frozen=True, slots=True)
class Piece:
    kind: Kind
    text: str
    start: int
    name: str = ""  # of a tag: "if", "endif"; empty when it has none

    @property
    def is_liquid(self) -> bool:
        return self.kind in (Kind.OUTPUT, Kind.TAG)


class FaultKind(enum.Enum):
    NOT_CLOSED = "not closed"
    CLOSES_NOTHING = "closes nothing"
    CROSSED = "crossed"  # closes, or continues, another block than the innermost
    MISPLACED = "misplaced"  # else, when, break... outside the block that gives it a meaning


@dataclass(frozen=True, slots=True)
class Fault:
    """A block tag that does not fit, with the block that was open, if any."""

    kind: FaultKind
    piece: Piece
    opener: Piece | None = None


def cut(source: str) -> Iterator[Piece]:
    """The pieces in order; their texts joined are the source. Linear in its length."""
    position = 0
    while opener := _OPENER.search(source, position):
        start = opener.start()
        if start > position:
            yield Piece(Kind.TEXT, source[position:start], position)
        mark = opener.group()
        closed = source.find(_CLOSERS[mark], start + 2)
        if closed < 0:
            yield Piece(Kind.UNCLOSED, source[start:], start)
            return
        position = closed + 2
        text = source[start:position]
        if mark == "{{":
            yield Piece(Kind.OUTPUT, text, start)
        else:
            name = _NAME.match(text)
            yield Piece(Kind.TAG, text, start, name.group(1) if name else "")
    if position < len(source):
        yield Piece(Kind.TEXT, source[position:], position)


def block_fault(pieces: Iterable[Piece]) -> Fault | None:
    """The first block tag that does not fit, or None when all blocks are whole and nested."""
    stack: list[Piece] = []
    for piece in pieces:
        if piece.kind is not Kind.TAG:
            continue
        if stack and stack[-1].name == "comment":
            # What a comment holds is not read, other comments excepted.
            if piece.name == "comment":
                stack.append(piece)
            elif piece.name == "endcomment":
                stack.pop()
        elif piece.name in BLOCKS:
            stack.append(piece)
        elif fault := _fits(piece, stack):
            return fault
    return Fault(FaultKind.NOT_CLOSED, stack[-1]) if stack else None


def _fits(piece: Piece, stack: list[Piece]) -> Fault | None:
    """Closes the innermost block when the piece ends it; a fault when it belongs to none."""
    innermost = stack[-1] if stack else None
    if piece.name in _ENDS:
        if innermost is None:
            return Fault(FaultKind.CLOSES_NOTHING, piece)
        if innermost.name != _ENDS[piece.name]:
            return Fault(FaultKind.CROSSED, piece, innermost)
        stack.pop()
    elif piece.name in _MIDDLES:
        if innermost is None or innermost.name not in _MIDDLES[piece.name]:
            return Fault(FaultKind.MISPLACED, piece, innermost)
    elif piece.name in _INSIDE_A_LOOP and all(block.name != "for" for block in stack):
        return Fault(FaultKind.MISPLACED, piece, innermost)
    return None


def line_of(source: str, position: int) -> int:
    """The line of a position, counted from 1."""
    return source.count("\n", 0, position) + 1


def column_of(source: str, position: int) -> int:
    """The column of a position in its line, counted from 1."""
    return position - source.rfind("\n", 0, position)
