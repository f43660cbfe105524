"""`manage.py classify_report`."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.gmail.test_reports import OURS, failed, report


def classify(*files: Path) -> list[dict[str, object]]:
    out = StringIO()
    call_command("classify_report", *map(str, files), "--json", stdout=out)
    found: list[dict[str, object]] = json.loads(out.getvalue())
    return found


def test_it_tells_what_each_file_says_of_whom(tmp_path: Path) -> None:
    two, none = tmp_path / "two.eml", tmp_path / "none.eml"
    full = failed("552 5.2.2 Full", to="eve@example.org")
    two.write_bytes(report(failed("550 5.1.1 No such user"), full))
    none.write_text("Subject: Hello\n\nHow are you?\n")
    ben, eve, nothing = classify(two, none)
    assert ben == {
        "file": str(two),
        "verdict": "hard",
        "recipient": "ben@example.org",
        "original_message_id": OURS,
        "status": "5.1.1",
        "detail": "550 5.1.1 No such user",
    }
    assert (eve["recipient"], eve["verdict"], eve["status"]) == ("eve@example.org", "soft", "5.2.2")
    assert (nothing["verdict"], nothing["recipient"], nothing["status"]) == ("none", None, None)


def test_it_says_which_file_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="missing.eml could not be read"):
        classify(tmp_path / "missing.eml")


def test_it_tells_a_person_in_a_line(tmp_path: Path) -> None:
    file, out = tmp_path / "one.eml", StringIO()
    file.write_bytes(report(failed("550 5.1.1 No such user")))
    call_command("classify_report", str(file), stdout=out)
    assert out.getvalue() == f"{file}: hard ben@example.org 550 5.1.1 No such user\n"
