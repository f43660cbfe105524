"""What a newcomer sees while nobody has signed up yet."""

from playwright.sync_api import Page, expect

from tests.browser.looks import every_look


@every_look
def test_it_shows_the_way_in(page: Page) -> None:
    page.goto("account/signup/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Daypost")
    expect(page.get_by_label("E-mail address")).to_be_visible()
    expect(page.get_by_role("button", name="Create account")).to_be_visible()
    # Nothing sticks out on a phone.
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
