"""Liquid as templates may use it: python-liquid, cut down to mail merge and given limits.

What differs from the library:

- Every value is escaped where it is put out, whatever it is and wherever it came from. The
  library lets text written in the template pass as safe HTML, which would carry markup around
  the sanitiser: `{{ "<script>" }}`.
- What `capture` keeps is text: its tags are dropped and it is escaped when put out. As HTML it
  could close the attribute that it is put into.
- No tag reads files or other templates, writes HTML of its own (`tablerow`), or hides Liquid from
  the sanitiser (`raw`).
- A field without a value is false in conditions, as whoever writes a mail expects.
- There is no `now` and no `today`: a message comes out the same whenever it is rendered.
- Loops, filters, texts and the result are limited in number and size, so that no template keeps
  a worker busy: see the constants.
"""

import html
import re
from collections.abc import Iterator, Mapping
from typing import ClassVar, TextIO

from liquid import BoundTemplate, Environment, Mode, RenderContext
from liquid.ast import Node
from liquid.builtin.content import Literal
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    for_tag,
    if_tag,
    inline_comment_tag,
    unless_tag,
)
from liquid.exceptions import (
    FilterArgumentError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
)
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.stringify import to_liquid_string
from liquid.tag import Tag
from liquid.undefined import Undefined
from liquid.utils import ReadOnlyChainMap

from campaigns.rendering.filters import FILTERS, MAX_TEXT, Filter, LinesWithBreaks

# For one message:
MAX_LOOP_ITERATIONS = 1_000  # of all loops together, each turn of a nested one counted
MAX_FILTER_CALLS = 20_000
MAX_OUTPUT = 2_000_000  # octets
MAX_NESTING = 20  # blocks within blocks
MAX_LOCAL_NAMES = 500  # made by assign and capture

_TAG = re.compile(r"<[^<>]*>")


class _Context(RenderContext):
    """The names a template sees while it is rendered, and what it has used up."""

    __slots__ = ("_filter_calls", "_iterations")

    def __init__(self, template: BoundTemplate, *, globals: object = None, **options: object):
        super().__init__(template, globals=globals, **options)  # type: ignore[arg-type]
        # Without the library's "now" and "today", which read the clock.
        self.scope = ReadOnlyChainMap(self.locals, self.globals)
        self._iterations = 0
        self._filter_calls = 0

    def raise_for_loop_limit(self, length: int = 1) -> None:
        # Called when a loop begins. The library multiplies the loops that are open; adding up
        # covers loops one after the other too.
        self._iterations += length
        if self._iterations > MAX_LOOP_ITERATIONS:
            raise LoopIterationLimitError("loop limit", token=None)

    def filter(self, name: str, token: object) -> Filter:
        self._filter_calls += 1
        if self._filter_calls > MAX_FILTER_CALLS:
            raise FilterArgumentError("too many filters are used", token=None)
        return super().filter(name, token)  # type: ignore[arg-type]

    def assign(self, key: str, val: object) -> None:
        # Each value is bounded where it was made: by its filter, by capture, by the contact.
        self.locals[key] = val
        if len(self.locals) > MAX_LOCAL_NAMES:
            raise LocalNamespaceLimitError("too many names are assigned", token=None)


class _Template(BoundTemplate):
    context_class = _Context


class _Nothing(str):
    """What a condition sees of an empty field: equal to everything that means empty."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other is None or str.__eq__(self, other) is True

    __hash__ = str.__hash__


# Undefined is what the library takes for false besides false itself and nil.
Undefined.register(_Nothing)
_NOTHING = _Nothing()


class _EmptyField(str):
    """A field without a value.

    In Liquid an empty text is true, and every cell of a spreadsheet is a text: `{% if company %}`
    would hold for contacts without one.
    """

    __slots__ = ()

    def __liquid__(self) -> _Nothing:
        return _NOTHING


_EMPTY_FIELD = _EmptyField()


def field_value(value: object) -> object:
    """A contact's value as the template sees it."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return _EMPTY_FIELD
    if isinstance(value, Mapping):
        return {name: field_value(inner) for name, inner in value.items()}
    return value


class _EscapedOutputNode(OutputNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        value = self.expression.evaluate(context)
        # html.escape works on str itself: a subclass may bring its own replace(), which keeps
        # what it takes for safe.
        text = html.escape(str.__str__(to_liquid_string(value, autoescape=False)))
        if isinstance(value, LinesWithBreaks):
            text = text.replace("\n", "<br />\n")
        return buffer.write(text)


class _EscapedOutput(Output):
    node_class = _EscapedOutputNode


class _CaptureNode(capture_tag.CaptureNode):
    __slots__ = ()

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        kept = LimitedStringIO(limit=MAX_TEXT)
        self.block.render(context, kept)
        context.assign(self.name, self._as_text(kept.getvalue()))
        return 0

    def _as_text(self, rendered: str) -> str:
        return rendered


class _HtmlCaptureNode(_CaptureNode):
    __slots__ = ()

    def _as_text(self, rendered: str) -> str:
        return html.unescape(_TAG.sub("", rendered))


class _Capture(capture_tag.CaptureTag):
    node_class = _CaptureNode


class _HtmlCapture(capture_tag.CaptureTag):
    node_class = _HtmlCaptureNode


class PlainEnvironment(Environment):
    """For the subject and the plain-text part: values are put out as they are."""

    template_class = _Template
    context_depth_limit = MAX_NESTING + 10
    block_nesting_limit = MAX_NESTING
    output_stream_limit = MAX_OUTPUT
    output_tags: ClassVar[tuple[type[Tag], ...]] = (Output, _Capture)

    def __init__(self) -> None:
        super().__init__(tolerance=Mode.STRICT, strict_filters=True, autoescape=False)

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        tags: tuple[type[Tag], ...] = (
            Literal,
            Illegal,
            *self.output_tags,
            assign_tag.AssignTag,
            case_tag.CaseTag,
            comment_tag.CommentTag,
            for_tag.ForTag,
            for_tag.BreakTag,
            for_tag.ContinueTag,
            if_tag.IfTag,
            inline_comment_tag.InlineCommentTag,
            unless_tag.UnlessTag,
        )
        for tag in tags:
            self.add_tag(tag)
        for name, function in FILTERS.items():
            self.add_filter(name, function)


class HtmlEnvironment(PlainEnvironment):
    """For the HTML part: every value that is put out is escaped."""

    output_tags: ClassVar[tuple[type[Tag], ...]] = (_EscapedOutput, _HtmlCapture)


def nodes_in(template: BoundTemplate) -> Iterator[Node]:
    """Every node of the parsed template, blocks before what they hold."""
    context = RenderContext(template)
    waiting = list(reversed(template.nodes))
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(list(node.children(context, include_partials=False))))


def expressions_in(node: Node) -> Iterator[Expression]:
    """Every expression of one node, the ones within others included."""
    waiting = list(node.expressions())
    while waiting:
        expression = waiting.pop()
        yield expression
        waiting.extend(expression.children())
