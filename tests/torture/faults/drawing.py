"""The faults of the random rounds: each is a function, drawn by its weight, and counted.

A fault that never strikes proves nothing. So each names what it does in a word or two, and whoever
runs the rounds is told how often that really happened.
"""

import random
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from tests.torture.rounds import Round

Fault = Callable[["Round"], None]
_WEIGHTS: dict[Fault, float] = {}
_SELDOM: set[Fault] = set()
_NAMES: dict[str, Collection[str]] = {}

BOTH = ("sqlite", "postgresql")


def weight(
    weight: float, *strikes: str, only: Collection[str] = BOTH, seldom: bool = False
) -> Callable[[Fault], Fault]:
    """`strikes` are the names under which it is counted, `only` the databases that have it.

    `seldom`: in some rounds only, since nothing leaves for a while wherever it has struck.
    """

    def register(fault: Fault) -> Fault:
        _WEIGHTS[fault] = weight
        if seldom:
            _SELDOM.add(fault)
        _NAMES.update(dict.fromkeys(strikes, only))
        return fault

    return register


def of_a_round(dice: random.Random) -> dict[Fault, float]:
    """What may be drawn in it, by weight."""
    left_out = {fault for fault in _WEIGHTS if fault in _SELDOM and dice.random() > 0.3}
    return {fault: weight for fault, weight in _WEIGHTS.items() if fault not in left_out}


def draw(dice: random.Random, weights: dict[Fault, float]) -> Fault:
    return dice.choices(list(weights), list(weights.values()))[0]


def names() -> list[str]:
    """All that can strike on this database."""
    return [name for name, only in _NAMES.items() if connection.vendor in only]
