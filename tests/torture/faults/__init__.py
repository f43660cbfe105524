"""What a random round does to an instance, by what it is done to."""

from tests.torture.faults import backups, clocks, database, mail, people, processes
from tests.torture.faults.drawing import draw, names, of_a_round

__all__ = [
    "backups",
    "clocks",
    "database",
    "draw",
    "mail",
    "names",
    "of_a_round",
    "people",
    "processes",
]
