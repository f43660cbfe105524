"""The sets of numbers by which IMAP names messages, like ``2:4,7,12:*`` (RFC 3501 section 9).

Twisted's own sorts the whole set again for every number in it, which takes seconds for the long
lists that some clients send.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

NUMBER = r"(?:[1-9]\d{0,9}|\*)"
SET = re.compile(rf"{NUMBER}(?::{NUMBER})?(?:,{NUMBER}(?::{NUMBER})?)*\Z")


class NumbersRefused(Exception):
    """The text is no set of numbers."""


class Numbers:
    """Ranges as they were given; what ``*`` is shows only when they are applied."""

    def __init__(self, text: str) -> None:
        """Raises NumbersRefused."""
        if not SET.match(text):
            raise NumbersRefused(f"Not a set of numbers: {text[:40]!a}")
        self._ranges = [each.partition(":") for each in text.split(",")]

    def uids(self, present: Sequence[int], *, by_uid: bool) -> list[int]:
        """Those of the UIDs that are present, in rising order, which are named.

        ``by_uid`` says whether the numbers are UIDs, or places in the order of UIDs from 1.
        """
        if not present:
            return []
        last = present[-1] if by_uid else len(present)
        named: set[int] = set()
        for first, colon, second in self._ranges:
            low, high = sorted((_number(first, last), _number(second if colon else first, last)))
            if by_uid:
                named.update(present[bisect_left(present, low) : bisect_right(present, high)])
            else:
                named.update(present[low - 1 : high])
        return sorted(named)


def looks_like_numbers(text: str) -> bool:
    return SET.match(text) is not None


def _number(text: str, last: int) -> int:
    return last if text == "*" else int(text)
