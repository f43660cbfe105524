"""Templates to start from: files beside this one, each a whole message.

They are kept in the form in which the sanitiser leaves them, so that saving one changes nothing.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Starter:
    slug: str
    name: str | Promise
    purpose: str | Promise
    subject: str

    @property
    def html(self) -> str:
        return _read(self.slug)


STARTERS = (
    Starter(
        "letter",
        _("Letter"),
        _("A few paragraphs, as from one person to another."),
        'A word from us, {{ first_name | default: "friend" }}',
    ),
    Starter(
        "newsletter",
        _("Newsletter"),
        _("A lead story, two shorter ones and dates."),
        "What is new this month",
    ),
    Starter(
        "invitation",
        _("Invitation"),
        _("One event: when, where, and a button to answer."),
        '{{ first_name | default: "Friend" }}, you are invited',
    ),
    Starter(
        "announcement",
        _("Announcement"),
        _("One piece of news, and what to do about it."),
        "Our opening hours change",
    ),
)


def starter(slug: str) -> Starter | None:
    return next((one for one in STARTERS if one.slug == slug), None)


@cache
def _read(slug: str) -> str:
    return (_FOLDER / f"{slug}.html").read_text(encoding="utf-8")
