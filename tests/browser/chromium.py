"""Finds the browser that the tests drive; `python -m tests.browser.chromium` also gets one.

A browser that is there is used: `CHROME`, then chromium, google-chrome. Where there is none,
Playwright's own is downloaded, and where that does not run, Debian's package is installed (root).
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find() -> str | None:
    """The path of a browser that starts, or None."""
    return next((path for path in _candidates() if _starts(path)), None)


def get() -> str | None:
    """The path of a browser, installing one when there is none; None when that fails."""
    path = find()
    if path is None:
        _say("No browser here: getting Playwright's.")
        _run(sys.executable, "-m", "playwright", "install", "chromium")
        path = find()
    if path is None and os.geteuid() == 0 and shutil.which("apt-get"):
        _say("Playwright's does not run here: installing Debian's chromium.")
        _run("apt-get", "update", "--quiet")
        _run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", "chromium")
        path = find()
    return path


def _candidates() -> Iterator[str]:
    if chosen := os.environ.get("CHROME"):
        yield chosen
    for name in NAMES:
        if found := shutil.which(name):
            yield found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    if Path(own).exists():
        yield own


def _starts(path: str) -> bool:
    """Whether it runs here: a downloaded one may lack libraries of the system."""
    try:
        version = [path, "--headless", "--no-sandbox", "--version"]
        return subprocess.run(version, capture_output=True, timeout=60).returncode == 0
    except OSError:
        return False


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    browser = get()
    if browser is None:
        _say("No browser could be found or installed. Install chromium, or set CHROME to one.")
        sys.exit(1)
    sys.stdout.write(f"{browser}\n")
