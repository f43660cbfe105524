"""Takes the README's pictures from a running instance: `python -m tests.browser.take_pictures`.

Everything on them happened: contacts were imported, two campaigns launched, and messages accepted
by the practice Gmail.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.browser import chromium
from tests.browser.live_instance import REPOSITORY, LiveInstance

PICTURES = REPOSITORY / "docs" / "images"
CONTACTS = REPOSITORY / "campaigns" / "demo" / "example.csv"
STARTERS = REPOSITORY / "campaigns" / "starters"
EMAIL, PASSWORD = "ana@example.org", "correct horse battery staple"
DEADLINE_SECONDS = 300


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        LiveInstance(Path(folder), on_postgres=False) as instance,
        sync_playwright() as playwright,
    ):
        fill(instance, Path(folder))
        sandbox = os.geteuid() != 0
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), chromium_sandbox=sandbox
        )
        page = browser.new_page(
            base_url=instance.url,
            viewport={"width": 1280, "height": 1180},
            device_scale_factor=1.5,
            reduced_motion="reduce",
        )
        log_in(page)
        page.goto("")
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURES / "dashboard.png")
        browser.close()


def fill(instance: LiveInstance, folder: Path) -> None:
    """A workspace that has sent a small campaign, and is in the middle of a large one."""
    secret = folder / "secret"
    secret.write_text(PASSWORD)
    instance.manage("create_owner", EMAIL, "--password-file", str(secret),
                    "--workspace", "Garden club", "--postal-address", "1 High Street")  # fmt: skip
    account = connect(instance, secret)
    few = folder / "committee.csv"
    few.write_text("".join(CONTACTS.read_text().splitlines(keepends=True)[:41]))
    for contacts, name, starter, subject in (
        (few, "Committee", "invitation", "Our meeting on Thursday"),
        (CONTACTS, "Members", "newsletter", "News from the garden, November"),
    ):
        instance.manage("import_contacts", str(contacts), "--list", name,
                        "--consent", "Members of the club")  # fmt: skip
        launched = instance.manage(
            *("launch_campaign", "--template", str(STARTERS / f"{starter}.html")),
            *("--subject", subject, "--list", name, "--account", account, "--pace", "asap"),
            "--json",
        )
        wait_until_it_rests(instance, json.loads(launched)["campaign"])


def connect(instance: LiveInstance, secret: Path) -> str:
    """Connect the first mailbox of the instance's practice Gmail; its address."""
    practice = instance.data_dir / "practice"
    wait_for(lambda: (practice / "ready").exists())
    mailbox = json.loads((practice / "accounts.json").read_text())[0]
    secret.write_text(mailbox["app_password"])
    lines = (practice / "env").read_text().splitlines()
    instance.env |= dict(line.split("=", 1) for line in lines)
    instance.manage("connect_gmail", mailbox["email"], "--app-password-file", str(secret))
    return str(mailbox["email"])


def wait_until_it_rests(instance: LiveInstance, campaign: int) -> None:
    def rests() -> bool:
        state: dict[str, Any] = json.loads(instance.manage("campaign", str(campaign), "--json"))
        under_way = state["counts"]["claimed"] + state["counts"]["handing_over"]
        return not under_way and state["why_not_now"] is not None

    wait_for(rests)


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            sys.exit("It took too long.")
        time.sleep(1)


def log_in(page: Page) -> None:
    page.goto("account/login/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


if __name__ == "__main__":
    main()
