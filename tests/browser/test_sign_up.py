"""A newcomer opens the address for the first time."""

import re

from playwright.sync_api import Page, expect

from tests.browser.live_instance import LiveInstance
from tests.browser.looks import every_look


@every_look
def test_it_shows_the_way_in(page: Page) -> None:
    page.goto("account/signup/")
    expect(page.get_by_label("E-mail")).to_be_visible()
    assert page.title()
    # Nothing may stick out on a phone.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
