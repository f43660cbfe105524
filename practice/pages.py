"""The look that all pages of the practice Gmail share. Text is escaped by Twisted's templates."""

import re
from datetime import datetime
from pathlib import Path

from twisted.python.failure import Failure
from twisted.web.template import Tag, flattenString, tags

from practice.web import Answer, Call

NOTHING_LEAVES = "Practice Gmail. Nothing here has left this machine."
STYLE = Path(__file__).with_name("style.css").read_bytes()


def style(call: Call) -> Answer:
    return Answer(STYLE, content_type="text/css; charset=utf-8")


def page(title: str, *content: Tag, status: int = 200) -> Answer:
    """A whole page under the banner that says where one is."""
    html = tags.html(
        tags.head(
            tags.meta(charset="utf-8"),
            tags.meta(name="viewport", content="width=device-width, initial-scale=1"),
            tags.meta(**{"name": "color-scheme", "content": "light dark"}),
            tags.title(f"{title} · Practice Gmail"),
            tags.link(rel="icon", href="data:,"),
            tags.link(rel="stylesheet", href="/style.css"),
        ),
        tags.body(
            tags.p(tags.a(NOTHING_LEAVES, href="/")),
            # Twisted knows no <main> by name.
            Tag("main")(tags.h1(title), *content),
        ),
        lang="en",
    )
    return Answer(b"<!doctype html>\n" + _flatten(html), status)


def pages_nav(newer: str | None, older: str | None) -> Tag:
    """Links to the pages before and after this one, where there are any."""
    links = [
        tags.a("Newer", href=newer, rel="prev") if newer else "",
        tags.a("Older", href=older, rel="next") if older else "",
    ]
    return tags.nav(*links, **{"aria-label": "Pages"})


def page_number(text: str) -> int:
    return int(text) if re.fullmatch("[1-9][0-9]{0,6}", text) else 1


def moment(at: datetime) -> Tag:
    return tags.time(f"{at:%Y-%m-%d %H:%M:%S} UTC", datetime=at.isoformat())


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _flatten(html: Tag) -> bytes:
    """Nothing on these pages is deferred, so the result is there at once."""
    results: list[bytes] = []
    failures: list[Failure] = []
    flattenString(None, html).addCallbacks(results.append, failures.append)
    if failures:
        failures[0].raiseException()
    return results[0]
