"""python -m tests.mutants: break each promise on purpose, in a copy, and see a test turn red.

Exit status 0 when every mutation was caught. `--write` puts the table into docs/proof.md.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.mutations import MUTATIONS, POSTGRES, SQLITE, Mutation

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = REPOSITORY / "docs" / "proof.md"
BEGIN, END = "<!-- mutants: begin -->", "<!-- mutants: end -->"
# Cores are few, and each of these starts a practice Gmail and perhaps a PostgreSQL.
AT_ONCE = 2
LONGEST_SECONDS = 600
SURVIVED = "**survived**"


class Unfit(Exception):
    """A mutation does not fit the code any more, or its tests fail without it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("words", nargs="*", help="only mutations whose names hold one of these")
    parser.add_argument("--write", action="store_true", help="put the table into docs/proof.md")
    options = parser.parse_args()
    chosen = [one for one in MUTATIONS if _is_meant(one, options.words)]
    try:
        with tempfile.TemporaryDirectory("-mutants") as folder:
            _check_without(Path(folder), chosen)
            with ThreadPoolExecutor(AT_ONCE) as pool:
                caught = list(pool.map(lambda one: _try(Path(folder), one), chosen))
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


def _check_without(folder: Path, chosen: list[Mutation]) -> None:
    """Raise Unfit unless every edit fits, and every test is green without it."""
    copy = _copy(folder, "as it is")
    for mutation in chosen:
        _apply(_copy(folder, mutation.name), mutation)
        shutil.rmtree(folder / mutation.name)
    for database in (SQLITE, POSTGRES):
        tests = sorted({test for one in chosen if one.database == database for test in one.tests})
        red = _first_red(copy, database, tests) if tests else None
        if red is not None:
            raise Unfit(f"{red} is red without any mutation, on {database}.")


def _try(folder: Path, mutation: Mutation) -> str | None:
    """The test that caught it, or None."""
    copy = _copy(folder, mutation.name)
    try:
        _apply(copy, mutation)
        red = _first_red(copy, mutation.database, list(mutation.tests))
    finally:
        shutil.rmtree(copy)
    sys.stdout.write(f"{mutation.database:8}  {mutation.name}: {red or 'SURVIVED'}\n")
    sys.stdout.flush()
    return red


def _copy(folder: Path, name: str) -> Path:
    """What git knows of, as it lies there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    copy = folder / name
    for file in listed.split("\0"):
        source = REPOSITORY / file
        if file and source.is_file() and not source.is_symlink():
            (copy / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy / file)
    return copy


def _apply(copy: Path, mutation: Mutation) -> None:
    for edit in mutation.edits:
        path = copy / edit.file
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise Unfit(
                f"{mutation.name}: what it changes is not in {edit.file} exactly once. "
                "Mend it in tests/mutants/mutations.py."
            )
        path.write_text(text.replace(edit.old, edit.new))


def _first_red(copy: Path, database: str, tests: list[str]) -> str | None:
    """The first test that fails, or that hangs; None when all are green."""
    command = [sys.executable, "-m", "pytest", "--quiet", "--exitfirst", "--tb=no"]
    command += ["-p", "no:randomly", "-p", "no:cacheprovider", f"--database={database}", *tests]
    try:
        done = subprocess.run(
            command, cwd=copy, capture_output=True, text=True, timeout=LONGEST_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"{tests[0]} (hangs)"
    if done.returncode == 0:
        return None
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if found is None:
        raise Unfit(f"The tests could not be run:\n{done.stdout}{done.stderr}")
    return found[1]


def _write(chosen: list[Mutation], caught: list[str | None]) -> None:
    rows = ["| what is broken | database | caught by |", "|---|---|---|"]
    for mutation, red in zip(chosen, caught, strict=True):
        file, _, test = (red or "").partition("::")
        by = f"`{Path(file).name}` {test.partition('[')[0]}" if red else SURVIVED
        rows.append(f"| {mutation.name} | {mutation.database} | {by} |")
    before, _, rest = TABLE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    TABLE.write_text("\n".join([before + BEGIN, *rows, END + after]))


if __name__ == "__main__":
    sys.exit(main())
