"""An older copy of the database takes the place of the present one."""

import io
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command

from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

RESTORED, PUT_BACK = "backup restored", "older copy put back by hand"


@dataclass(frozen=True)
class Copy:
    """`people` are those whom the database was to write to, `of` is where it lies."""

    at: datetime
    people: frozenset[tuple[int | None, str]]
    of: Path | str


def _copy_of_now(this: "Round", of: Path | str) -> Copy:
    return Copy(this.stage.clock.true_now(), frozenset(this.people), of)


@weight(3, "backup made", RESTORED, seldom=True)
def back_up_and_restore(this: "Round") -> None:
    """By `manage.py backup`, while everything works; later by `manage.py restore`."""
    path = Path(settings.DATA_DIR, f"{this.struck['backup made']}.backup")
    copy = _copy_of_now(this, path)
    if this.must_do("backup", lambda: call_command("backup", path, stdout=io.StringIO())):
        this.happens("backup made", "a backup is made")
        this.later(this.random.randint(1, 7), lambda: _restore(this, copy))


@weight(2, PUT_BACK, seldom=True)
def copy_and_put_back(this: "Round") -> None:
    """The files themselves, past all commands, while nothing runs."""
    this.stop_everything()
    copy = _copy_of_now(this, this.stage.databases.keep_copy())
    this.say("everything is stopped, and the files are copied")
    this.start_everything()
    this.later(this.random.randint(1, 7), lambda: _put_back(this, copy))


def _restore(this: "Round", copy: Copy) -> None:
    this.stop_everything()
    command = ["restore", str(copy.of), "--yes"]
    if this.must_do("restore", lambda: call_command(*command, stdout=io.StringIO())):
        _gone_back(this, copy, RESTORED)
    this.start_everything()


def _put_back(this: "Round", copy: Copy) -> None:
    this.stop_everything()
    this.stage.databases.put_back(str(copy.of))
    _gone_back(this, copy, PUT_BACK)
    this.start_everything()


def _gone_back(this: "Round", copy: Copy, how: str) -> None:
    """What was written since the copy is gone by definition."""
    this.people = set(copy.people)
    this.forget_what_was_not_launched()
    if this.web is not None:
        this.web.log_in()
    age = this.stage.clock.true_now() - copy.at
    this.happens(how, f"{how}, {age.total_seconds() / 3600:.1f} hours old")
