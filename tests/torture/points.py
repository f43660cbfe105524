"""Fault points: the steps of the send path by name, and what can go wrong at each.

They are put in from outside, into the process that calls `arm`; the product has no hook for them.
"""

import importlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from mmap import mmap
from typing import Any

from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper

from gmail.replies import Phase

# What happens at a point. "stop" lies still until it is woken; "database" is a broken connection;
# "full" a disk that takes no more.
HOWS = ("exit", "sigkill", "stop", "raise", "database", "full")
DIES = ("exit", "sigkill", "raise")
# No driver raises anything but an error of the database from a commit.
OF_A_COMMIT = tuple(how for how in HOWS if how != "raise")

EXIT_STATUS = 70


class Injected(RuntimeError):
    """A fault that the product knows nothing of."""


@dataclass(frozen=True)
class Point:
    """`moment` is before, before commit, after commit, after or halfway of one call of `step`.

    `nth` call of it is the one; `given` must stand among its arguments. `doubt`: a process that
    dies there leaves a message of which nobody can know whether Gmail has it. `answer` is a fault
    of the practice Gmail that leads there, `left` the point at which a worker has died before.
    """

    name: str
    step: str
    moment: str
    nth: int = 2
    given: object = None
    doubt: bool = False
    answer: tuple[tuple[str, object], ...] = ()
    left: str = ""

    @property
    def hows(self) -> tuple[str, ...]:
        return OF_A_COMMIT if "commit" in self.moment else HOWS


SENDER = "campaigns.delivery.sender"
OUTCOMES = "campaigns.delivery.outcomes"
RECIPIENT_REFUSED = (("where", "rcpt"), ("reply", "550 5.1.1 No such user"))
LIMIT_REACHED = (("where", "data"), ("reply", "550 5.4.5 Daily user sending limit exceeded"))
NOT_NOW = (("where", "dot"), ("reply", "451 4.3.0 Try again later"))
TRY_LATER = (("where", "data"), ("reply", "421 4.7.0 Try again later"))
LINE_CUT = (("where", "accepted"), ("drop", True))

POINTS = [
    Point("before the account is taken", f"{SENDER}:take_account", "before", nth=1),
    Point("before the commit of taking the account", f"{SENDER}:take_account", "before commit", 1),
    Point("after the account is taken", f"{SENDER}:take_account", "after commit", nth=1),
    # The first, which takes all four at once: at the next there is nobody left to be claimed.
    Point("before the claim", f"{SENDER}:claim_next", "before", nth=1),
    Point("before the claim's commit", f"{SENDER}:claim_next", "before commit", nth=1),
    Point("after the claim's commit", f"{SENDER}:claim_next", "after commit", nth=1),
    Point("before rendering", "campaigns.delivery.compose:Composer.compose", "before"),
    Point("after rendering", "campaigns.delivery.compose:Composer.compose", "after"),
    Point("before connecting", "accounts.sessions:open_smtp", "before", nth=1),
    Point("after logging in", "accounts.sessions:open_smtp", "after", nth=1),
    Point("before MAIL", "gmail.smtp:SmtpSession.begin", "before"),
    Point("before DATA", "gmail.smtp_line:SmtpLine.ask", "before", given="DATA"),
    Point("after 354", "gmail.smtp:SmtpSession.begin", "after"),
    Point("in the body", "gmail.smtp_line:SmtpLine.give", "halfway", given=Phase.BODY),
    Point("after the body", "gmail.smtp:SmtpSession.body", "after"),
    Point("before handing over", f"{SENDER}:commit_handing_over", "before"),
    Point("before handing over's commit", f"{SENDER}:commit_handing_over", "before commit"),
    Point(
        "after handing over's commit", f"{SENDER}:commit_handing_over", "after commit", doubt=True
    ),
    Point("before it is written beside", "accounts.generation:remember", "before", doubt=True),
    Point("after it is written beside", "accounts.generation:remember", "after", doubt=True),
    Point("before the dot", "gmail.smtp_line:SmtpLine.give", "before", given=Phase.DOT, doubt=True),
    Point("after the dot", "gmail.smtp_line:SmtpLine.give", "after", given=Phase.DOT, doubt=True),
    Point("after 250", "gmail.smtp:SmtpSession.finish", "after", doubt=True),
    Point("before it is noted as sent", f"{OUTCOMES}:sent", "before commit", doubt=True),
    Point("after it is noted as sent", f"{OUTCOMES}:sent", "after commit"),
    Point("before the account is let go", f"{SENDER}:release_account", "before", nth=1),
    Point("after the account is let go", f"{SENDER}:release_account", "after", nth=1),
    Point("before a campaign is finished", "campaigns.states:finish_done", "before", nth=1),
    *(
        Point(
            f"{moment} a {what}'s commit",
            step,
            f"{moment} commit",
            1,
            answer=answer,
            doubt=what == "doubt" or (what == "putting back" and moment == "before"),
        )
        for what, step, answer in (
            ("refusal", f"{OUTCOMES}:refused", RECIPIENT_REFUSED),
            ("putting back", f"{OUTCOMES}:put_back", NOT_NOW),
            ("putting back at the limit", f"{OUTCOMES}:put_back", LIMIT_REACHED),
            ("rest", "accounts.standing:rest_for_limit", LIMIT_REACHED),
            ("back-off", "accounts.standing:back_off", TRY_LATER),
            ("doubt", f"{OUTCOMES}:in_doubt", LINE_CUT),
        )
        for moment in ("before", "after")
    ),
    *(
        Point(
            f"{moment} the commit of taking back what was left {left}",
            step,
            f"{moment} commit",
            1,
            left=left,
            doubt=doubt,
        )
        for left, step, doubt in (
            ("after the claim's commit", f"{OUTCOMES}:put_back", False),
            ("after handing over's commit", f"{OUTCOMES}:in_doubt", True),
            ("after the dot", f"{OUTCOMES}:in_doubt", True),
        )
        for moment in ("before", "after")
    ),
]
BY_NAME = {point.name: point for point in POINTS}

_inside = threading.local()
# Shared with the children: how often a fault of each kind has struck.
_struck = mmap(-1, len(HOWS))


def strikes() -> Counter[str]:
    """How often faults have struck since the last call, in any process, by what happened."""
    struck = Counter(dict(zip(HOWS, _struck[:], strict=True)))
    _struck[:] = bytes(len(HOWS))
    return +struck


def was_reached() -> bool:
    """Whether a fault has struck since the last call, in any process."""
    return strikes().total() > 0


def arm(point: Point, how: str) -> None:
    """From now on the fault waits at `point` in this process, and strikes once."""
    strikes = _Once(point.nth, how)
    if "commit" in point.moment:
        _mark(point, strikes)
        _watch_commits(point.moment, strikes)
    else:
        _wrap(point, strikes)


class _Once:
    def __init__(self, nth: int, how: str) -> None:
        self.left, self._how = nth, how

    def come_by(self) -> bool:
        """Whether this is the call at which it strikes."""
        self.left -= 1
        return self.left == 0

    def strike(self) -> None:
        _struck[HOWS.index(self._how)] += 1
        if self._how == "exit":
            os._exit(EXIT_STATUS)
        elif self._how == "sigkill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif self._how == "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        elif self._how == "database":
            raise OperationalError("server closed the connection unexpectedly")
        elif self._how == "full":
            raise OperationalError("database or disk is full")
        else:
            raise Injected("A fault was put in here.")


def _wrap(point: Point, once: _Once) -> None:
    owner, name, original = _step(point.step)

    @wraps(original)
    def faulty(*args: Any, **kwargs: Any) -> Any:
        strikes = (point.given is None or point.given in args) and once.come_by()
        if strikes and point.moment == "before":
            once.strike()
        if strikes and point.moment == "halfway":
            line, phase, data = args
            original(line, phase, data[: len(data) // 2])
            once.strike()
            return original(line, phase, data[len(data) // 2 :])
        result = original(*args, **kwargs)
        if strikes and point.moment == "after":
            once.strike()
        return result

    setattr(owner, name, faulty)


def _mark(point: Point, once: _Once) -> None:
    """Around the call whose commit is meant."""
    owner, name, original = _step(point.step)

    @wraps(original)
    def marked(*args: Any, **kwargs: Any) -> Any:
        _inside.meant = once.come_by()
        try:
            return original(*args, **kwargs)
        finally:
            # Within a larger transaction it is that one's commit that counts.
            _inside.meant = _inside.meant and connection.in_atomic_block

    setattr(owner, name, marked)


def _watch_commits(moment: str, once: _Once) -> None:
    commit = BaseDatabaseWrapper._commit

    def watched(self: BaseDatabaseWrapper) -> None:
        meant = getattr(_inside, "meant", False)
        _inside.meant = False
        if meant and moment == "before commit":
            once.strike()
        commit(self)
        if meant and moment == "after commit":
            once.strike()

    BaseDatabaseWrapper._commit = watched  # type: ignore[method-assign]


def _step(path: str) -> tuple[Any, str, Callable[..., Any]]:
    """Where the step lies, its name there, and the step. Raises AttributeError when it is gone."""
    module, _, names = path.partition(":")
    owner: Any = importlib.import_module(module)
    *classes, name = names.split(".")
    for each in classes:
        owner = getattr(owner, each)
    return owner, name, getattr(owner, name)
