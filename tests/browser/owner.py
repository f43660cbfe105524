"""The owner of an instance: made by the command, and logging in by the form."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, expect

from tests.browser.live_instance import LiveInstance

EMAIL, PASSWORD = "owner@example.org", "correct horse battery staple"


def make_owner(instance: LiveInstance) -> None:
    with TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.write_text(PASSWORD)
        instance.manage("create_owner", EMAIL, "--password-file", str(password))


def log_in(page: Page) -> None:
    page.goto("account/login/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
