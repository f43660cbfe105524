"""What a mutation is: a small change of the source that breaks one promise."""

from dataclasses import dataclass

SQLITE, POSTGRES = "sqlite", "postgres"


@dataclass(frozen=True)
class Edit:
    """In `file`, `old` is there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutation:
    """`database` is where the fault shows; `tests` are what is run, in this order.

    `migrated`: the tests ask which migrations were applied. For all others the tables are made
    from the models, which takes half the time.
    """

    name: str
    database: str
    tests: tuple[str, ...]
    edits: tuple[Edit, ...]
    migrated: bool = False


def one(
    name: str, database: str, tests: str, file: str, old: str, new: str, *, migrated: bool = False
) -> Mutation:
    """A mutation of a single edit."""
    return several(name, database, tests, Edit(file, old, new), migrated=migrated)


def several(name: str, database: str, tests: str, *edits: Edit, migrated: bool = False) -> Mutation:
    """`tests` are paths within `tests/`, or names of files of the tests of delivery."""
    paths = tuple(_path(test) for test in tests.split())
    return Mutation(name, database, paths, edits, migrated)


def _path(test: str) -> str:
    file = test.partition("::")[0]
    return f"tests/{test}" if "/" in file else f"tests/campaigns/delivery/{test}"
