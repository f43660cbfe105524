"""The Liquid filters that a template may use, each bounded in time and size.

Only what mail merge needs is here. Text stays plain text through every filter: HTML is escaped
once, where it is put out (`merge`), so no filter can mark text as safe.
"""

import html
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote_plus

from dateutil import parser as date_parser  # type: ignore[import-untyped]
from liquid.builtin.filters import math, string
from liquid.exceptions import FilterArgumentError
from liquid.undefined import is_undefined

# Characters in a text that goes into or comes out of a filter, and in what a filter is told.
MAX_TEXT = 20_000
MAX_ARGUMENT = 1_000
MAX_NUMBER = 10**15

_TAG = re.compile(r"<[^<>]*>")
_LINE_BREAK = re.compile(r"\r\n?|\n")
# What a date without a day, month or year takes the missing part from: never today, so that a
# message comes out the same whenever it is rendered. A leap year, for the 29th of February.
_DATE_PARTS = datetime(2000, 1, 1, tzinfo=UTC)

Filter = Callable[..., Any]


class LinesWithBreaks(str):
    """Text whose line breaks are to be put out as `<br />`. Any other filter undoes it."""

    __slots__ = ()


def bounded(function: Filter) -> Filter:
    """The filter, refusing what is too large to work on and what came out too large."""

    def bounded_filter(value: object, *arguments: object, **options: object) -> object:
        _refuse_large(value, MAX_TEXT)
        for argument in (*arguments, *options.values()):
            _refuse_large(argument, MAX_ARGUMENT)
        result = function(value, *arguments, **options)
        _refuse_large(result, MAX_TEXT)
        return result

    return bounded_filter


def _refuse_large(value: object, limit: int) -> None:
    # repr() is never used here: turning a huge number into text is slow by itself.
    if isinstance(value, int | float) and not -MAX_NUMBER < value < MAX_NUMBER:
        raise FilterArgumentError("a number is too large", token=None)
    if isinstance(value, str | list | tuple | range) and len(value) > limit:
        raise FilterArgumentError("a text is too long", token=None)


def is_blank(value: object) -> bool:
    """Whether a field counts as empty: nothing, only spaces, an empty list, false."""
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return False
    return value is None or is_undefined(value) or (isinstance(value, list | dict) and not value)


def default(value: object, fallback: object = "") -> object:
    return fallback if is_blank(value) else value


def escape(value: object) -> str:
    """Nothing more to do: every value is escaped where it is put out, and only once."""
    return _text(value)


def escape_once(value: object) -> str:
    return html.unescape(_text(value))


def newline_to_br(value: object) -> str:
    return LinesWithBreaks(_LINE_BREAK.sub("\n", _text(value)))


def strip_newlines(value: object) -> str:
    return _LINE_BREAK.sub("", _text(value))


def strip_html(value: object) -> str:
    return _TAG.sub("", _text(value))


def url_encode(value: object) -> str:
    return quote_plus(_text(value))


def join(value: object, separator: object = " ") -> str:
    if not isinstance(value, list | tuple):
        return _text(value)
    separator_text = _text(separator)
    if len(separator_text) * len(value) > MAX_TEXT:
        raise FilterArgumentError("a text is too long", token=None)
    return separator_text.join(_text(item) for item in value)


def first(value: object) -> object:
    return value[0] if isinstance(value, list | tuple) and value else None


def last(value: object) -> object:
    return value[-1] if isinstance(value, list | tuple) and value else None


def size(value: object) -> int:
    return len(value) if isinstance(value, str | list | tuple | Mapping) else 0


def replace(value: object, old: object, new: object = "") -> str:
    text, old_text, new_text = _text(value), _text(old), _text(new)
    if text.count(old_text) * len(new_text) > MAX_TEXT:
        raise FilterArgumentError("a text is too long", token=None)
    return text.replace(old_text, new_text)


def format_date(value: object, pattern: object = "") -> str:
    """A date in the words of strftime; what is not a date is left as it is.

    Unlike Liquid's own, it knows no "now" (rendering reads no clock) and takes digits for a date
    (20261130), not for seconds since 1970.
    """
    moment = _date(value)
    if moment is None or is_blank(pattern):
        return _text(value)
    try:
        return moment.strftime(_text(pattern))
    except ValueError as err:
        raise FilterArgumentError("the date pattern cannot be used", token=None) from err


def _date(value: object) -> date | None:
    if isinstance(value, date):
        return value
    text = _text(value)
    if not text or len(text) > 64:
        return None
    try:
        moment: datetime = date_parser.parse(text, default=_DATE_PARTS, ignoretz=True)
    except (ValueError, OverflowError):
        return None
    return moment


def _text(value: object) -> str:
    if value is None or is_undefined(value):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


_FUNCTIONS: dict[str, Filter] = {
    "abs": math.abs_,
    "at_least": math.at_least,
    "at_most": math.at_most,
    "ceil": math.ceil,
    "divided_by": math.divided_by,
    "floor": math.floor,
    "minus": math.minus,
    "modulo": math.modulo,
    "plus": math.plus,
    "round": math.round_,
    "times": math.times,
    "append": string.append,
    "capitalize": string.capitalize,
    "downcase": string.downcase,
    "escape": escape,
    "escape_once": escape_once,
    "lstrip": string.lstrip,
    "newline_to_br": newline_to_br,
    "prepend": string.prepend,
    "remove": string.remove,
    "remove_first": string.remove_first,
    "remove_last": string.remove_last,
    "replace": replace,
    "replace_first": string.replace_first,
    "replace_last": string.replace_last,
    "rstrip": string.rstrip,
    "slice": string.slice_,
    "split": string.split,
    "squish": string.squish,
    "strip": string.strip,
    "strip_html": strip_html,
    "strip_newlines": strip_newlines,
    "truncate": string.truncate,
    "truncatewords": string.truncatewords,
    "upcase": string.upcase,
    "url_decode": string.url_decode,
    "url_encode": url_encode,
    "first": first,
    "join": join,
    "last": last,
    "size": size,
    "default": default,
    "date": format_date,
}
FILTERS = {name: bounded(function) for name, function in _FUNCTIONS.items()}
