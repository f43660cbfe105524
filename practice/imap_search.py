"""The search keys of IMAP (RFC 3501 section 6.4.4) and Gmail's own, as conditions of the index.

Gmail's are described at https://developers.google.com/workspace/gmail/imap/imap-extensions. Of its
search language ``X-GM-RAW`` understands ``rfc822msgid:``, ``in:anywhere`` and ``OR``.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from practice.folders import EVERYTHING, FIRST_GMAIL_ID, ROLES, Condition
from practice.imap_numbers import looks_like_numbers

TOKEN = re.compile(rb' *(?:"((?:[^"\\]|\\.)*)"|([()])|([^ ()"]+))', re.DOTALL)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
FLAGS = {
    "ANSWERED": "\\Answered",
    "DRAFT": "\\Draft",
    "FLAGGED": "\\Flagged",
    "SEEN": "\\Seen",
}
HEADERS = ("BCC", "CC", "FROM", "SUBJECT", "TO")
NOTHING = Condition("0")
DEEPEST = 50

# Which UIDs a set of numbers names: the set, and whether its numbers are UIDs.
Resolve = Callable[[str, bool], list[int]]


class SearchRefused(Exception):
    """The search makes no sense, or asks for what is not here; the text says which."""


def parse_search(line: bytes, resolve: Resolve) -> Condition:
    """Read everything behind SEARCH. Raises SearchRefused, and NumbersRefused from ``resolve``."""
    tokens = _tokens(line)
    if not tokens:
        raise SearchRefused("Missing search keys")
    reader = _Reader(tokens, resolve)
    conditions = [reader.key()]
    while reader.more:
        conditions.append(reader.key())
    return _all(conditions)


def quoted(value: bytes) -> bytes:
    """A literal's bytes as a quoted string, which ``parse_search`` reads back."""
    escaped = value.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b'"' + escaped + b'"'


class _Reader:
    """Takes one key after another off the tokens."""

    def __init__(self, tokens: list[str], resolve: Resolve) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0
        self._resolve = resolve

    @property
    def more(self) -> bool:
        return self._place < len(self._tokens)

    def key(self) -> Condition:
        self._depth += 1
        if self._depth > DEEPEST:
            raise SearchRefused("Too many keys within keys")
        try:
            return self._key(self._next())
        finally:
            self._depth -= 1

    def _key(self, token: str) -> Condition:
        name = token.upper()
        if token == "(":  # noqa: S105
            return self._group()
        if looks_like_numbers(token):
            return _among(self._resolve(token, False))
        if name in ("ALL", "OLD"):
            return EVERYTHING
        if name in ("NEW", "RECENT"):
            return NOTHING
        if name == "NOT":
            return _not(self.key())
        if name == "OR":
            return _any([self.key(), self.key()])
        if name in FLAGS:
            return _flag(FLAGS[name])
        if name.startswith("UN") and name[2:] in FLAGS:
            return _not(_flag(FLAGS[name[2:]]))
        if name in ("DELETED", "UNDELETED"):
            return Condition("p.deleted = ?", (name == "DELETED",))
        return self._key_with_value(name)

    def _key_with_value(self, name: str) -> Condition:
        if name in HEADERS:
            return _header(name, self._next())
        simple: dict[str, Callable[[str], Condition]] = {
            "UID": lambda value: _among(self._resolve(value, True)),
            "KEYWORD": _flag,
            "UNKEYWORD": lambda value: _not(_flag(value)),
            "BEFORE": lambda value: Condition("m.received < ?", (_day(value),)),
            "ON": lambda value: Condition(
                "m.received BETWEEN ? AND ?", (_day(value), _day(value) + 86_399)
            ),
            "SINCE": lambda value: Condition("m.received >= ?", (_day(value),)),
            "LARGER": lambda value: Condition("m.size > ?", (_number(value),)),
            "SMALLER": lambda value: Condition("m.size < ?", (_number(value),)),
            "BODY": lambda value: Condition("has_text(m.file, ?, 0)", (value,)),
            "TEXT": lambda value: Condition("has_text(m.file, ?, 1)", (value,)),
            "X-GM-RAW": _gmail_search,
            "X-GM-MSGID": lambda value: Condition("m.id = ?", (_number(value) - FIRST_GMAIL_ID,)),
            "X-GM-THRID": lambda value: Condition(
                "coalesce(m.thread, m.id) = ?", (_number(value) - FIRST_GMAIL_ID,)
            ),
            "X-GM-LABELS": _label,
        }
        if name == "HEADER":
            return _header(self._next(), self._next())
        if name not in simple:
            raise SearchRefused(f"Unknown search key {name[:40]!a}")
        return simple[name](self._next())

    def _group(self) -> Condition:
        conditions = []
        while self.more and self._tokens[self._place] != ")":
            conditions.append(self.key())
        self._next()
        return _all(conditions)

    def _next(self) -> str:
        if not self.more:
            raise SearchRefused("The search ends too early")
        self._place += 1
        return self._tokens[self._place - 1]


def _tokens(line: bytes) -> list[str]:
    tokens = []
    place = 0
    line = line.rstrip(b" ")
    while place < len(line):
        match = TOKEN.match(line, place)
        if match is None:
            raise SearchRefused("Unreadable search keys")
        string, bracket, word = match.groups()
        value = re.sub(rb"\\(.)", rb"\1", string, flags=re.DOTALL) if string is not None else b""
        tokens.append((value or bracket or word or b"").decode("utf-8", "replace"))
        place = match.end()
    return tokens


def _all(conditions: list[Condition]) -> Condition:
    return _joined(" AND ", conditions)


def _any(conditions: list[Condition]) -> Condition:
    return _joined(" OR ", conditions)


def _joined(word: str, conditions: list[Condition]) -> Condition:
    if not conditions:
        return EVERYTHING
    sql = word.join(f"({each.sql})" for each in conditions)
    return Condition(sql, tuple(value for each in conditions for value in each.values))


def _not(condition: Condition) -> Condition:
    return Condition(f"NOT ({condition.sql})", condition.values)


def _flag(flag: str) -> Condition:
    return Condition("instr(' ' || m.flags || ' ', ?)", (f" {flag} ",))


def _header(name: str, value: str) -> Condition:
    if name.upper() == "MESSAGE-ID":
        return Condition("instr(lower(m.message_id), ?)", (value.lower(),))
    return Condition("has_header(m.file, ?, ?)", (name, value))


def _label(name: str) -> Condition:
    role = next((each for each in ROLES.values() if each.label.lower() == name.lower()), None)
    if role is None or not role.label:
        return NOTHING
    return Condition(
        "EXISTS (SELECT 1 FROM place q JOIN folder f ON f.id = q.folder "
        "WHERE q.message = m.id AND f.role = ?)",
        (role.key,),
    )


def _gmail_search(query: str) -> Condition:
    conditions = []
    for term in query.replace("{", " ").replace("}", " ").split():
        operator, colon, value = term.partition(":")
        if operator.lower() == "rfc822msgid" and colon:
            message_id = value.strip('"').strip("<>")
            conditions.append(Condition("m.message_id = ?", (f"<{message_id}>",)))
        elif term.upper() != "OR" and term.lower() != "in:anywhere":
            raise SearchRefused("The practice Gmail searches only by rfc822msgid:")
    return _any(conditions)


def _among(uids: list[int]) -> Condition:
    if uids and uids[-1] - uids[0] == len(uids) - 1:
        return Condition("p.uid BETWEEN ? AND ?", (uids[0], uids[-1]))
    return Condition("p.uid IN (SELECT value FROM json_each(?))", (json.dumps(uids),))


def _number(text: str) -> int:
    if not re.fullmatch("[0-9]{1,19}", text):
        raise SearchRefused(f"Not a number: {text[:40]!a}")
    return min(int(text), 2**63 - 1)


def _day(text: str) -> int:
    """The first second of a day such as 25-Nov-2026, in UTC."""
    match = re.fullmatch(r"(\d{1,2})-([a-z]{3})-(\d{4})", text.lower())
    try:
        if match is None:
            raise ValueError(text)
        month = MONTHS.index(match[2]) + 1
        day = datetime(int(match[3]), month, int(match[1]), tzinfo=UTC)
        return int((day - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1))
    except ValueError as err:
        raise SearchRefused(f"Not a date: {text[:40]!a}") from err
