"""`make demo`, as it is typed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
# The promise is two minutes; other tests share the two cores.
PATIENCE_SECONDS = 240


def demo(**environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "config.demo"],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )


def report_of(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def table(path: Path, header: str, *rows: str) -> str:
    path.write_text("\n".join([header, *rows]) + "\n")
    return str(path)


def test_it_sends_the_shipped_example_over_three_days() -> None:
    report = report_of(demo())
    days = list(report["by_day"].values())
    assert {name: report[name] for name in ("rows", "imported", "invalid", "duplicates")} == {
        "rows": 1200,
        "imported": 1200,
        "invalid": 0,
        "duplicates": 0,
    }
    assert (report["sent"], report["refused_by_gmail"]) == (500, 0)
    assert (report["waiting"], report["in_doubt"]) == (700, 0)
    # Around midnight the first 500 may fall on two dates; never more than 500 on one.
    assert sum(days) == 1200
    assert max(days) <= 500
    assert len(days) in (3, 4)
    assert report["finishes"][:10] in report["by_day"] or len(days) == 4


def test_it_sends_what_google_contacts_exports(tmp_path: Path) -> None:
    header = "First Name,Middle Name,Last Name,Notes,Labels,E-mail 1 - Label,E-mail 1 - Value"
    people = [f"Ana,,Number {n},,* myContacts,* Home,ana{n}@example.org" for n in range(30)]
    twice, bad = people[0], "Ben,,Nowhere,,* myContacts,* Home,ben at example"
    report = report_of(demo(CSV=table(tmp_path / "google.csv", header, *people, twice, bad)))
    assert report["rows"] == 32
    assert (report["imported"], report["duplicates"], report["invalid"]) == (30, 1, 1)
    assert (report["sent"], report["waiting"]) == (30, 0)
    assert sum(report["by_day"].values()) == 30


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("missing.csv", None, "cannot be read"),
        ("no-addresses.csv", "Name,City\nAna,Lisbon\n", "address"),
    ],
)
def test_it_says_why_a_table_is_of_no_use(
    tmp_path: Path, name: str, content: str | None, sentence: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    done = demo(CSV=str(path))
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
