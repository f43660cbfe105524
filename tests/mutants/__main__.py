"""python -m tests.mutants: break each promise on purpose, in a copy, and see a test turn red.

Exit status 0 when every mutation was caught. `--write` puts the table into docs/proof.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.util import cache_from_source
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

from tests.mutants.mutation import Edit, Mutation
from tests.mutants.mutations import MUTATIONS

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "proof.md"
BEGIN, END = "<!-- mutants: begin -->", "<!-- mutants: end -->"
LONGEST_SECONDS = 600
TRIES = 3
SURVIVED = "**survived**"


class Unfit(Exception):
    """A mutation does not fit the code any more, or its tests fail without it."""


class Red(NamedTuple):
    """A test that failed, and why."""

    test: str
    why: str


class Run(NamedTuple):
    """How tests are run: which may share one run."""

    database: str
    migrated: bool


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutations whose names hold one of these")
    parser.add_argument("--write", action="store_true", help="put the table into docs/proof.md")
    parser.add_argument("--at-once", type=int, default=2, metavar="N", help="2 by default")
    options = parser.parse_args()
    chosen = [one for one in MUTATIONS if _is_meant(one, options.words)]
    if options.write and len(chosen) < len(MUTATIONS):
        parser.error("The table is of all of them: --write goes without words.")
    try:
        with tempfile.TemporaryDirectory("-mutants") as folder:
            caught = _try_all(Path(folder), chosen, options.at_once)
    except Unfit as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if options.write:
        _write(chosen, caught)
    survivors = caught.count(None)
    sys.stdout.write(f"{len(caught) - survivors} of {len(caught)} mutations were caught.\n")
    return 1 if survivors else 0


def _is_meant(mutation: Mutation, words: list[str]) -> bool:
    return not words or any(word in mutation.name for word in words)


def _try_all(folder: Path, chosen: list[Mutation], at_once: int) -> list[Red | None]:
    """The test that caught each, or None. Raises Unfit before anything is tried."""
    free: SimpleQueue[Path] = SimpleQueue()
    for number in range(at_once):
        free.put(_copy(folder / str(number)))

    def without(run: Run) -> None:
        with _borrowed(free) as copy:
            _check_without(copy, run, chosen)

    def broken(mutation: Mutation) -> Red | None:
        with _borrowed(free) as copy:
            return _try(copy, mutation)

    with _borrowed(free) as copy:
        for mutation in chosen:
            with _applied(copy, mutation):
                pass
    with ThreadPoolExecutor(at_once) as pool:
        list(pool.map(without, {_run_of(one) for one in chosen}))
        return list(pool.map(broken, chosen))


def _run_of(mutation: Mutation) -> Run:
    return Run(mutation.database, mutation.migrated)


@contextmanager
def _borrowed(free: "SimpleQueue[Path]") -> Iterator[Path]:
    copy = free.get()
    try:
        yield copy
    finally:
        free.put(copy)


def _copy(copy: Path) -> Path:
    """What git knows of, as it lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for file in listed.split("\0"):
        source = REPOSITORY / file
        if file and source.is_file() and not source.is_symlink():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy / file)
    return copy


def _check_without(copy: Path, run: Run, chosen: list[Mutation]) -> None:
    """Raise Unfit unless every test of such a run is green without any mutation."""
    tests = {test for one in chosen if _run_of(one) == run for test in one.tests}
    red = _first_red(copy, run, sorted(tests))
    if red is not None:
        raise Unfit(f"{red.test} is red without any mutation, on {run.database}: {red.why}")


def _try(copy: Path, mutation: Mutation) -> Red | None:
    with _applied(copy, mutation):
        red = _first_red(copy, _run_of(mutation), list(mutation.tests))
    how = f"{red.test} ({red.why})" if red else "SURVIVED"
    sys.stdout.write(f"{mutation.database:8}  {mutation.name}: {how}\n")
    sys.stdout.flush()
    return red


@contextmanager
def _applied(copy: Path, mutation: Mutation) -> Iterator[None]:
    """Within, the copy is broken. Raises Unfit."""
    before = {edit.file: (copy / edit.file).read_text() for edit in mutation.edits}
    try:
        for edit in mutation.edits:
            _apply(copy, mutation, edit)
        yield
    finally:
        for file, text in before.items():
            _replace(copy / file, text)


def _apply(copy: Path, mutation: Mutation, edit: Edit) -> None:
    path = copy / edit.file
    text = path.read_text()
    if text.count(edit.old) != 1:
        raise Unfit(
            f"{mutation.name}: what it changes is not in {edit.file} exactly once. "
            "Mend it in tests/mutants/."
        )
    _replace(path, text.replace(edit.old, edit.new))


def _replace(path: Path, text: str) -> None:
    path.write_text(text)
    # Python knows what it has compiled by length and second only.
    Path(cache_from_source(path)).unlink(missing_ok=True)


def _first_red(copy: Path, run: Run, tests: list[str]) -> Red | None:
    """The first test that fails, or that hangs; None when all are green. Raises Unfit."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "--tb=no"]
    command += ["-p", "no:randomly", "-p", "no:cacheprovider", f"--database={run.database}"]
    command += ["--migrations" if run.migrated else "--nomigrations", *tests]
    for _ in range(TRIES):
        try:
            done = subprocess.run(
                command,
                cwd=copy,
                # The reason is cut off where a line ends.
                env=os.environ | {"COLUMNS": "400"},
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return Red(tests[0], "hangs")
        if done.returncode == 0:
            return None
        failed = re.search(r"^FAILED (\S+::\S+)(?: - (.*))?", done.stdout, re.MULTILINE)
        if failed is not None:
            return Red(failed[1], failed[2] or "")
        # A test that could not even begin catches nothing: a busy machine may be why.
    raise Unfit(f"The tests could not be run:\n{done.stdout}{done.stderr}")


def _write(chosen: list[Mutation], caught: list[Red | None]) -> None:
    rows = ["| what is broken | database | caught by |", "|---|---|---|"]
    for mutation, red in zip(chosen, caught, strict=True):
        file, _, test = (red.test if red else "").partition("::")
        by = f"`{Path(file).name}` {test.partition('[')[0]}" if red else SURVIVED
        rows.append(f"| {mutation.name} | {mutation.database} | {by} |")
    before, _, rest = TABLE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    TABLE.write_text("\n".join([before + BEGIN, *rows, END + after]))


if __name__ == "__main__":
    sys.exit(main())
