"""Every page in a real browser, in every look: nothing sticks out, and all of it can be read."""

from collections.abc import Sequence

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.live_instance import REPOSITORY, LiveInstance
from tests.browser.looks import PHONE, every_look, nothing_sticks_out
from tests.site_map import PUBLIC, site_map

CONTACTS = REPOSITORY / "campaigns" / "demo" / "example.csv"

# Refused to everybody, which the log tells with a traceback.
REFUSED = {
    "admin:autocomplete",
    "admin:campaigns_inboundmail_add",
    "admin:campaigns_message_add",
}

# Text against its background, by WCAG's formula: 4.5 to 1, and 3 to 1 for large type.
TOO_FAINT = """() => {
  const rgb = (text) => {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (top, below) => top.slice(0, 3).map(
    (c, i) => c * top[3] / 255 + below[i] * (1 - top[3] / 255)).concat(255);
  const background = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) {
      layers.push(rgb(getComputedStyle(at).backgroundColor));
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 255]);
  };
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map((c) => c / 255).map(
      (c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const faint = new Set();
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.data.trim();
    const icon = element.closest("[aria-hidden=true], .material-symbols-outlined, :disabled");
    if (!words || icon || !element.checkVisibility({visibilityProperty: true})) continue;
    const style = getComputedStyle(element);
    const ground = background(element);
    const [a, b] = [light(over(rgb(style.color), ground)), light(ground)].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 24
      || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) faint.add(`${words.slice(0, 40)}: ${ratio.toFixed(2)}`);
  }
  return [...faint];
}"""


@pytest.fixture(scope="module")
def parts() -> Sequence[str]:
    return ("web",)


@pytest.fixture(scope="module")
def club(owned_instance: LiveInstance) -> LiveInstance:
    """With some contacts."""
    owned_instance.manage(
        "import_contacts", str(CONTACTS), "--list", "Members", "--consent", "They asked."
    )
    return owned_instance


def pages(page: Page) -> list[str]:
    """Every whole page that needs no row: lists, forms, settings."""
    found = []
    for address in site_map():
        if address.arguments or address.name in PUBLIC | REFUSED:
            continue
        path = reverse(address.name).lstrip("/")
        answer = page.request.get(path)
        if answer.ok and answer.text().lstrip()[:15].lower() == "<!doctype html>":
            found.append(path)
    return found


def assert_looks_right(page: Page, path: str) -> None:
    page.goto(path)
    for look in every_look(page):
        assert nothing_sticks_out(page), (path, look)
        assert page.evaluate(TOO_FAINT) == [], (path, look)


def test_it_fits_and_can_be_read(club: LiveInstance, owner_page: Page) -> None:
    found = pages(owner_page)
    assert {"", "people/", "campaigns/contact/", "campaigns/campaign/add/"} <= set(found)
    for path in found:
        assert_looks_right(owner_page, path)


def test_it_fits_and_can_be_read_before_the_log_in(club: LiveInstance, page: Page) -> None:
    for name in sorted(PUBLIC - {"account_reset_password_from_key"}):
        assert_looks_right(page, reverse(name).lstrip("/"))


def test_it_opens_the_menu_on_a_phone(owner_page: Page) -> None:
    owner_page.set_viewport_size(PHONE)
    owner_page.goto("")
    settings = owner_page.get_by_role("link", name="Settings")
    assert not settings.is_visible()

    owner_page.get_by_role("button", name="Menu").click()
    settings.click()

    assert owner_page.get_by_role("heading", level=1).inner_text() == "Settings"


def test_it_keeps_the_look_that_was_chosen(owner_page: Page) -> None:
    owner_page.goto("")
    owner_page.locator(".dp-me summary").click()
    owner_page.get_by_text("Dark", exact=True).click()

    for _time in range(2):
        assert owner_page.evaluate("document.documentElement.classList.contains('dark')")
        owner_page.reload()


def test_it_comes_to_the_content_by_one_key(owner_page: Page) -> None:
    owner_page.goto("people/")

    owner_page.keyboard.press("Tab")
    owner_page.keyboard.press("Enter")

    assert owner_page.evaluate("document.activeElement.id") == "main"
