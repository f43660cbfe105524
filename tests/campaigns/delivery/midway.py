"""Something happens while a message lies at Gmail but for its end."""

from collections.abc import Callable
from typing import Any

import pytest

from campaigns.delivery.line import Line


def after_the_body(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> None:
    """Do something at the last moment at which it still counts, once."""
    original = Line.give
    acts = iter([act])

    def give(self: Line, *arguments: Any) -> None:
        original(self, *arguments)
        next(acts, lambda: None)()

    monkeypatch.setattr(Line, "give", give)
