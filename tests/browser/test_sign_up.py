"""A newcomer opens the address for the first time."""

import re

import pytest
from playwright.sync_api import Page, expect


@pytest.mark.both_databases
def test_it_keeps_what_was_typed_and_lets_the_first_person_in(page: Page) -> None:
    page.goto("")
    expect(page).to_have_url(re.compile("/account/"))
    page.goto("account/signup/")
    page.get_by_label("E-mail address").fill("ana@example.org")
    page.get_by_label("Password", exact=True).fill("12345678")
    page.get_by_label("Password, once more").fill("12345678")
    page.get_by_label("Name of your organisation").fill("Ana's garden")
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_text("This password is too common.")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("ana@example.org")
    expect(page.get_by_label("Name of your organisation")).to_have_value("Ana's garden")

    page.get_by_label("Password", exact=True).fill("correct horse battery staple")
    page.get_by_label("Password, once more").fill("correct horse battery staple")
    page.get_by_role("button", name="Create account").click()
    expect(page).to_have_url(re.compile(r":\d+/$"))
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()
    # The heading of the dashboard says what to do first.
    expect(page.get_by_role("main").get_by_role("link", name="Connect Gmail")).to_be_visible()
