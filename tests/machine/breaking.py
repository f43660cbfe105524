"""A database that breaks off in the middle of whatever is being done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import OperationalError, connection


class BrokenOff(OperationalError):
    """Drawn, and not a fault."""


@contextmanager
def breaking_after(statements: int | None) -> Iterator[None]:
    """The statement after so many fails, and with it what is done within; None: none does."""
    if statements is None:
        yield
        return
    left = iter(range(statements))

    def execute(run: Callable[..., Any], *arguments: Any) -> Any:
        if next(left, None) is None:
            raise BrokenOff
        return run(*arguments)

    try:
        with connection.execute_wrapper(execute):
            yield
    except BrokenOff:
        pass


def drawn_break(much: int, more: int) -> int | None:
    """Mostly none; otherwise after so many statements as a step has, more or less."""
    return None if more % 4 else much + more
