"""Keeps the preview where one writes: a sign at the cursor becomes an anchor in the message."""

import re

ANCHOR = "here"
# A character for private use: it goes through sanitising and merging as text.
_SIGN = "\U000f5d1b"
# Not in quotes: a sign that Liquid carried into an attribute cannot end it.
_ELEMENT = f"<span id={ANCHOR} style=scroll-margin-top:40vh></span>"
_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
_PAIRS = (("{{", "}}"), ("{%", "%}"), ("<", ">"))


def with_sign(source: str, cursor: str) -> str:
    """The source with a sign where text may stand, at the cursor or as near before it as can be.

    `cursor` is a number of characters as a form sends it; without a usable one nothing changes.
    """
    if not cursor.isascii() or not cursor.isdecimal():
        return source
    place = min(int(cursor[:9]), len(source))
    for opening, closing in _PAIRS:
        opened = source.rfind(opening, 0, place)
        if opened > source.rfind(closing, 0, place):
            place = opened
    body = _BODY.search(source)
    if place < (body.end() if body else 0) or _is_in_a_style_sheet(source, place):
        return source
    return source[:place] + _SIGN + source[place:]


def _is_in_a_style_sheet(source: str, place: int) -> bool:
    before = source[:place].lower()
    return before.rfind("<style") > before.rfind("</style")


def with_anchor(html: str) -> str:
    """The message with an anchor instead of the sign; a loop may have multiplied it."""
    first, sign, rest = html.partition(_SIGN)
    return first + (_ELEMENT if sign else "") + rest.replace(_SIGN, "")
