"""Mail merge: a template and a contact's values become the subject and the parts of a message.

Templates are written in Liquid (python-liquid). Pure: no model, no clock, no network; the same
template and values always give the same text.

Values are text, numbers, dates, lists and dicts by the name of their field. A dotted name such as
`company.city` reads a dict within the values. A field that is missing, None or blank comes out
empty, is false in `if`, and equals "", `blank`, `empty` and `nil`.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote_plus

from django.utils.translation import gettext as _
from liquid import BoundTemplate
from liquid.builtin.expressions import FilteredExpression, Path
from liquid.builtin.expressions.primitive import IntegerLiteral, Literal, RangeLiteral
from liquid.exceptions import (
    LiquidError,
    LiquidTypeError,
    LoopIterationLimitError,
    OutputStreamLimitError,
)

from campaigns.rendering.environment import (
    MAX_LOOP_ITERATIONS,
    HtmlEnvironment,
    PlainEnvironment,
    expressions_in,
    field_value,
    nodes_in,
)
from campaigns.rendering.filters import FILTERS, is_blank
from campaigns.rendering.mime import one_line
from campaigns.rendering.pieces import BLOCKS, Kind, Piece, block_fault, cut, line_of
from campaigns.rendering.problems import (
    Problem,
    block_problem,
    nearest,
    piece_problems,
    problem_at,
    size_problem,
    unfinished_fallbacks,
    unreadable_problem,
)

__all__ = [
    "MergeError",
    "Problem",
    "check",
    "empty_fields",
    "fields_in",
    "render_html",
    "render_subject",
    "render_text",
]

_HTML = HtmlEnvironment()
_PLAIN = PlainEnvironment()

# What a loop or a condition that put nothing out leaves behind in plain text.
_SPACES_AT_END = re.compile(r"[ \t\r]+$", re.MULTILINE)
_BLANK_LINES = re.compile(r"\n{3,}")

# Stands for a value where the template is tried without one: a character for private use, which
# no filter changes but url_encode.
_TRIAL = "\U000f5d1a"


class MergeError(ValueError):
    """A template cannot be rendered, or not with these values."""

    def __init__(self, sentence: str, line: int | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.line = line  # counted from 1


def render_html(source: str, values: Mapping[str, object]) -> str:
    """The HTML part, every value escaped for text and for quoted attributes.

    The template must have been sanitised; where `urls.needs_check` says so, the result must go
    through `urls.check_rendered`, as `letter.rendered` does. Raises MergeError.
    """
    return _render(_compiled(source, html=True), values)


def render_text(source: str, values: Mapping[str, object]) -> str:
    """The plain-text part: its lines end in \\n and not in spaces, with at most one empty line
    between them and none around them. Raises MergeError."""
    text = _SPACES_AT_END.sub("", _render(_compiled(source, html=False), values))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")


def render_subject(source: str, values: Mapping[str, object]) -> str:
    """The subject as one line without control characters. Raises MergeError."""
    return one_line(_render(_compiled(source, html=False), values))


def fields_in(source: str) -> frozenset[str]:
    """The fields that the template asks the contact for, without what follows a dot.

    Raises MergeError for a template that cannot be read.
    """
    return _compiled(source, html=False).fields


def empty_fields(source: str, values: Mapping[str, object]) -> list[str]:
    """The fields that leave a gap in this contact's message, in order of their names.

    A field leaves a gap when it is put out, is empty, and nothing stands in for it: neither a
    `default` nor the other branch of a condition. Raises MergeError.
    """
    candidates = [name for name in _fields_without_default(source) if is_blank(values.get(name))]
    if not candidates:
        return []
    compiled = _compiled(source, html=False)
    as_it_is = _render(compiled, values)
    encoded = quote_plus(_TRIAL)
    gaps = []
    for name in candidates:
        filled = _render(compiled, {**values, name: _TRIAL})
        # Nothing stands in for it when taking the trial value away gives what is there now.
        if filled != as_it_is and filled.replace(_TRIAL, "").replace(encoded, "") == as_it_is:
            gaps.append(name)
    return gaps


def check(source: str, known_fields: Collection[str]) -> list[Problem]:
    """Everything that is wrong with a template, in the order in which it is written.

    Fatal problems (it cannot be read or rendered) come alone, unknown fields only when there are
    none. `known_fields` may hold dotted names: with `company.city`, `company` is known as well.
    """
    if fatal := list(_fatal_problems(source, known_fields)):
        return fatal
    compiled = _compiled(source, html=True)
    if problem := _trial_problem(source, compiled):
        return [problem]
    unknown = _unknown_fields(source, compiled.template, known_fields)
    return unknown + list(unfinished_fallbacks(source))


@dataclass(frozen=True, slots=True)
class _Compiled:
    template: BoundTemplate
    fields: frozenset[str]


@lru_cache(maxsize=256)
def _compiled(source: str, *, html: bool) -> _Compiled:
    """Raises MergeError with the first thing that is wrong."""
    for problem in _fatal_problems(source, ()):
        raise MergeError(problem.sentence, problem.line)
    template = (_HTML if html else _PLAIN).from_string(source)
    return _Compiled(template, frozenset(template.analyze().globals))


def _render(compiled: _Compiled, values: Mapping[str, object]) -> str:
    try:
        return compiled.template.render(
            {name: field_value(values.get(name)) for name in compiled.fields}
        )
    except LoopIterationLimitError as err:
        sentence = _("The loops of this template go round more than %(limit)s times.")
        raise MergeError(sentence % {"limit": f"{MAX_LOOP_ITERATIONS:,}"}) from err
    except OutputStreamLimitError as err:
        raise MergeError(_("This template comes out too long to be sent.")) from err
    except LiquidTypeError as err:
        sentence = _(
            "A text is compared with a number. Make it a number first:"
            " `{%% assign number = field | plus: 0 %%}`."
        )
        raise MergeError(sentence % {}, _line_of_error(err)) from err
    except LiquidError as err:
        sentence = _("The template does not work with these values: %(reason)s.")
        raise MergeError(sentence % {"reason": err.message}, _line_of_error(err)) from err
    except (ValueError, ArithmeticError, RecursionError) as err:
        sentence = _("The template does not work with these values.")
        raise MergeError(sentence) from err


def _line_of_error(err: LiquidError) -> int | None:
    if err.token is None or err.token.start_index < 0:
        return None
    return line_of(err.token.source, err.token.start_index)


def _fatal_problems(source: str, known_fields: Collection[str]) -> Iterator[Problem]:
    if problem := size_problem(source):
        yield problem
        return
    pieces = list(cut(source))
    if problems := list(piece_problems(source, pieces)):
        yield from problems
    elif fault := block_fault(pieces):
        yield block_problem(source, fault)
    else:
        yield from _reading_problems(source, pieces, known_fields)


def _reading_problems(
    source: str, pieces: list[Piece], known_fields: Collection[str]
) -> Iterator[Problem]:
    """What Liquid itself finds: expressions that cannot be read, filters that are not there."""
    try:
        template = _PLAIN.from_string(source)
    except LiquidError as err:
        unreadable = [piece for piece in pieces if not _is_readable(piece)]
        for piece in unreadable:
            yield unreadable_problem(source, piece, known_fields)
        if not unreadable:
            sentence = _("the template cannot be read: %(reason)s.") % {"reason": err.message}
            yield problem_at(source, err.token.start_index if err.token else None, sentence)
        return
    for node in nodes_in(template):
        for expression in expressions_in(node):
            if isinstance(expression, FilteredExpression):
                yield from _filter_problems(source, expression)
            elif isinstance(expression, RangeLiteral) and not _is_short(expression):
                sentence = _("a range goes from one number to another, such as (1..10).")
                yield problem_at(source, expression.token.start_index, sentence)


def _is_readable(piece: Piece) -> bool:
    """Whether Liquid can read this piece by itself."""
    match piece.name:
        case "elsif":
            alone = "{% if true %}" + piece.text + "{% endif %}"
        case "when":
            alone = "{% case 1 %}" + piece.text + "{% endcase %}"
        case name if name in BLOCKS:
            alone = piece.text + "{% " + BLOCKS[name] + " %}"
        case "assign" | "" | "#":
            alone = piece.text if piece.kind is not Kind.TEXT else ""
        case _:
            return True
    try:
        _PLAIN.from_string(alone)
    except LiquidError:
        return False
    return True


def _filter_problems(source: str, expression: FilteredExpression) -> Iterator[Problem]:
    for used in expression.filters or ():
        if used.name not in FILTERS:
            yield problem_at(
                source,
                used.token.start_index,
                _("there is no filter `%(name)s` here.") % {"name": used.name},
                name=used.name,
                suggestion=nearest(used.name, FILTERS),
            )


def _is_short(expression: RangeLiteral) -> bool:
    # A range is not a list but behaves like one: a long one would be counted through to no end
    # by `contains` and `reversed`, so its bounds must be plain to see.
    start, stop = expression.start, expression.stop
    return (
        isinstance(start, IntegerLiteral)
        and isinstance(stop, IntegerLiteral)
        and stop.value - start.value < MAX_LOOP_ITERATIONS
    )


def _trial_problem(source: str, compiled: _Compiled) -> Problem | None:
    """What goes wrong with any values, such as a filter that is not told what it needs."""
    try:
        _render(compiled, dict.fromkeys(compiled.fields, "1"))
    except MergeError as err:
        start = None
        if err.line is not None:
            start = len("".join(source.splitlines(keepends=True)[: err.line - 1]))
        return problem_at(source, start, err.sentence)
    return None


def _unknown_fields(
    source: str, template: BoundTemplate, known_fields: Collection[str]
) -> list[Problem]:
    uses = [use for uses in template.analyze().globals.values() for use in uses]
    problems = []
    for use in sorted(uses, key=lambda use: use.span.index):
        names = _leading_names(use.segments)
        dotted = ".".join(names)
        if any(".".join(names[:count]) in known_fields for count in range(1, len(names) + 1)):
            continue
        if any(field.startswith(f"{dotted}.") for field in known_fields):
            continue
        problems.append(
            problem_at(
                source,
                use.span.index,
                _("there is no field `%(name)s`.") % {"name": dotted},
                name=dotted,
                suggestion=nearest(dotted, known_fields),
                fatal=False,
            )
        )
    return problems


def _leading_names(segments: Sequence[object]) -> list[str]:
    """`a.b[0].c` is known by `a.b`: names up to the first number or computed name."""
    names = []
    for segment in segments:
        if not isinstance(segment, str):
            break
        names.append(segment)
    return names


@lru_cache(maxsize=256)
def _fields_without_default(source: str) -> tuple[str, ...]:
    """The fields that may leave a gap: used, and not always with a written `default`."""
    compiled = _compiled(source, html=False)
    bare = {
        str(part.path[0])
        for node in nodes_in(compiled.template)
        for expression in expressions_in(node)
        if isinstance(expression, FilteredExpression) and not _has_written_default(expression)
        for part in expression.children()
        if isinstance(part, Path)
    }
    return tuple(sorted(bare & compiled.fields))


def _has_written_default(expression: FilteredExpression) -> bool:
    return any(
        used.name == "default" and any(isinstance(arg.value, Literal) for arg in used.args)
        for used in expression.filters or ()
    )
