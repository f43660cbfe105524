"""`make run` on a fresh clone with an empty home, from outside."""

import os
import re
import signal
import socket
import stat
from pathlib import Path

import pytest
import requests

from tests.system.instance import Instance, running

EMAIL, PASSWORD = "ana@example.org", "correct horse battery staple"


def browser_form(session: requests.Session, url: str, **fields: str) -> requests.Response:
    """Send a page's form as a browser would."""
    page = session.get(url, timeout=30)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert page.status_code == 200 and token, page.text
    return session.post(
        page.url,
        data={"csrfmiddlewaretoken": token[1], **fields},
        headers={"Referer": page.url},
        timeout=30,
    )


def test_it_starts_stops_and_carries_on_where_it_stopped(clone: Path, home: Path) -> None:
    with running(clone, home) as instance, requests.Session() as browser:
        answer = browser_form(
            browser,
            f"{instance.url}account/signup/",
            email=EMAIL,
            password1=PASSWORD,
            password2=PASSWORD,
            workspace_name="Ana's garden",
        )
        assert answer.url == instance.url, answer.text
        practice = requests.get(f"http://localhost:{instance.practice_port}/", timeout=10)
        assert practice.status_code == 200
        parts = " ".join(instance.processes().values())
        for part in ("gunicorn", "worker", "beat", "practice"):
            assert part in parts
        assert instance.press_ctrl_c() < 6
        assert instance.processes() == {}
        assert "Traceback" not in instance.output

    with running(clone, home) as again, requests.Session() as browser:
        answer = browser_form(browser, f"{again.url}account/login/", login=EMAIL, password=PASSWORD)
        assert answer.url == again.url, answer.text
        assert again.terminate() < 6
        assert again.processes() == {}


def test_it_keeps_its_keys_to_itself(clone: Path, home: Path) -> None:
    with running(clone, home, DAYPOST_DATA_DIR="a relative folder") as instance:
        assert requests.get(instance.url, timeout=30).status_code == 200
    folder = clone / "a relative folder"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    keys = list((folder / "keys").iterdir())
    assert len(keys) >= 2
    assert {stat.S_IMODE(key.stat().st_mode) for key in keys} == {0o600}
    assert (folder / "practice" / "ready").parent.is_dir()


@pytest.mark.parametrize("setting", ["PORT", "PRACTICE_PORT"])
def test_it_says_which_port_is_taken_before_it_starts_anything(
    clone: Path, home: Path, tmp_path: Path, setting: str
) -> None:
    instance = Instance(clone, home, DAYPOST_DATA_DIR=str(tmp_path / "data"))
    taken = instance.port if setting == "PORT" else instance.practice_port
    with socket.create_server(("127.0.0.1", taken)):
        assert instance.start().wait_until_ended() != 0
    assert f"Port {taken} cannot be used (Address already in use)." in instance.output
    assert f"make run {setting}=" in instance.output
    assert not (tmp_path / "data" / "daypost.sqlite3").exists()
    assert instance.processes() == {}


def test_it_ends_and_says_so_when_a_part_cannot_stay_up(clone: Path, home: Path) -> None:
    with running(clone, home) as instance:
        # Honcho's own command line names every part: killed itself, it could tell of none.
        worker = next(pid for pid, line in instance.processes().items() if " worker --pool" in line)
        os.kill(worker, signal.SIGKILL)
        assert instance.wait_until_ended() != 0
        assert "worker.1 stopped (rc=-9)" in instance.output
        assert "A part of Daypost did not stay up" in instance.output
        assert instance.processes() == {}
