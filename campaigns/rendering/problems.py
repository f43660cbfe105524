"""What is wrong with a template, in plain sentences that say where and what to do."""

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from campaigns.rendering.pieces import (
    BLOCKS,
    TAG_NAMES,
    Fault,
    FaultKind,
    Kind,
    Piece,
    column_of,
    line_of,
)

MAX_SOURCE = 1_000_000  # characters
MAX_PIECES = 1_000  # merge fields and tags
MAX_PIECE = 1_000  # characters of one of them

_CURLY_QUOTES = re.compile("[\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u00bb]")
_WORDS = re.compile(r"\{\{-?\s*([\w-]+(?: +[\w-]+)+)\s*(?:\||-?\}\})")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a template.

    Line and column count from 1; line is None for what concerns the whole. `name` is the field,
    tag or filter in question, `suggestion` the known name it may have been meant to be. Fatal:
    the template cannot be rendered at all.
    """

    line: int | None
    column: int | None
    name: str | None
    sentence: str
    suggestion: str | None
    fatal: bool


def problem_at(
    source: str,
    position: int | None,
    sentence: str,
    *,
    name: str | None = None,
    suggestion: str | None = None,
    fatal: bool = True,
) -> Problem:
    """A problem whose sentence begins with the line, where the template has several."""
    if position is None or position < 0:
        return Problem(None, None, name, sentence, suggestion, fatal)
    line = line_of(source, position)
    if suggestion:
        sentence += " " + _("Did you mean `%(name)s`?") % {"name": suggestion}
    if "\n" in source.rstrip("\n"):
        sentence = _("Line %(line)d: %(sentence)s") % {"line": line, "sentence": sentence}
    return Problem(line, column_of(source, position), name, sentence, suggestion, fatal)


_UNFINISHED_FALLBACK = re.compile(r"\|\s*default:\s*[\"']…[\"']")


def unfinished_fallbacks(source: str) -> Iterator[Problem]:
    """The "…" that the editor proposes as a fallback, where nobody has put words in its place."""
    for found in _UNFINISHED_FALLBACK.finditer(source):
        sentence = _("The fallback “…” would be sent as it stands. Write words in its place.")
        yield problem_at(source, found.start(), sentence, fatal=False)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, capitals, spaces and underscores aside."""
    plain = {_plain(candidate): candidate for candidate in sorted(known, reverse=True)}
    found = difflib.get_close_matches(_plain(name), plain, n=1, cutoff=0.6)
    return plain[found[0]] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", "", name).casefold()


def size_problem(source: str) -> Problem | None:
    if len(source) > MAX_SOURCE:
        return problem_at(
            source,
            None,
            _("This is longer than %(limit)s characters. Make it shorter.")
            % {"limit": f"{MAX_SOURCE:,}"},
        )
    return None


def piece_problems(source: str, pieces: Collection[Piece]) -> Iterator[Problem]:
    """What can be said of the pieces before Liquid reads them."""
    if sum(piece.is_liquid for piece in pieces) > MAX_PIECES:
        yield problem_at(
            source,
            None,
            _("There are more than %(limit)s merge fields and tags here. Use fewer.")
            % {"limit": f"{MAX_PIECES:,}"},
        )
        return
    for piece in pieces:
        if piece.kind is Kind.UNCLOSED:
            mark = piece.text[:2]
            sentence = _("`%(opening)s` is not closed by `%(closing)s`.") % {
                "opening": mark,
                "closing": "}}" if mark == "{{" else "%}",
            }
            yield problem_at(source, piece.start, sentence)
        elif piece.is_liquid and len(piece.text) > MAX_PIECE:
            sentence = _("what stands between the braces is longer than %(limit)s characters.")
            yield problem_at(source, piece.start, sentence % {"limit": f"{MAX_PIECE:,}"})
        elif piece.kind is Kind.TAG and piece.name not in TAG_NAMES:
            yield _tag_problem(source, piece)


def _tag_problem(source: str, piece: Piece) -> Problem:
    if not piece.name:
        sentence = _("`%(tag)s` has no name, such as `if` or `for`.") % {"tag": piece.text}
        return problem_at(source, piece.start, sentence)
    sentence = _("there is no tag `%(name)s` here.") % {"name": piece.name}
    suggestion = nearest(piece.name, TAG_NAMES)
    return problem_at(source, piece.start, sentence, name=piece.name, suggestion=suggestion)


def block_problem(source: str, fault: Fault) -> Problem:
    piece, opener = fault.piece, fault.opener
    names = {
        "name": piece.name,
        "end": BLOCKS.get(piece.name, ""),
        "open": opener.name if opener else "",
        "open_end": BLOCKS[opener.name] if opener else "",
        "line": line_of(source, opener.start) if opener else 0,
    }
    match fault.kind:
        case FaultKind.NOT_CLOSED:
            sentence = _("`{%% %(name)s %%}` is not closed by `{%% %(end)s %%}`.")
        case FaultKind.CLOSES_NOTHING:
            sentence = _("`{%% %(name)s %%}` closes nothing.")
        case FaultKind.CROSSED:
            sentence = _(
                "`{%% %(name)s %%}` stands where `{%% %(open_end)s %%}` must close the"
                " `{%% %(open)s %%}` of line %(line)d."
            )
        case FaultKind.MISPLACED:
            sentence = _("`{%% %(name)s %%}` does not belong to any block here.")
    return problem_at(source, piece.start, sentence % names, name=piece.name)


def unreadable_problem(source: str, piece: Piece, known_fields: Collection[str]) -> Problem:
    """For a merge field or tag that Liquid cannot read."""
    names = {"piece": piece.text}
    if _CURLY_QUOTES.search(piece.text):
        sentence = _("`%(piece)s` has curly quotes. Type straight ones.") % names
        return problem_at(source, piece.start, sentence)
    if words := _WORDS.match(piece.text):
        sentence = _("`%(piece)s` cannot be read: a field's name has no spaces.") % names
        name = words.group(1)
        suggestion = nearest(name, known_fields)
        return problem_at(source, piece.start, sentence, name=name, suggestion=suggestion)
    sentence = _("`%(piece)s` cannot be read. Check its spelling, quotes and colons.") % names
    return problem_at(source, piece.start, sentence)
