"""Every page in a real browser, in every look: nothing sticks out, and all of it can be read."""

from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from tests.browser.live_instance import REPOSITORY, LiveInstance
from tests.browser.looks import every_look
from tests.site_map import PUBLIC, site_map

EMAIL, PASSWORD = "ana@example.org", "a river under 7 bridges"
CONTACTS = REPOSITORY / "campaigns" / "demo" / "example.csv"

# Refused to everybody, which the log tells with a traceback.
REFUSED = {"admin:autocomplete", "admin:campaigns_message_add"}

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
def club(live_instance: LiveInstance, tmp_path_factory: pytest.TempPathFactory) -> LiveInstance:
    """An instance with an owner and some contacts."""
    password = Path(tmp_path_factory.mktemp("club")) / "password"
    password.write_text(PASSWORD)
    live_instance.manage("create_owner", EMAIL, "--password-file", str(password))
    live_instance.manage(
        "import_contacts", str(CONTACTS), "--list", "Members", "--consent", "They asked."
    )
    return live_instance


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


def log_in(page: Page) -> None:
    page.goto("account/login/")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/")


@every_look
def test_it_fits_and_can_be_read(club: LiveInstance, page: Page) -> None:
    log_in(page)
    found = pages(page)
    assert {"", "people/", "campaigns/contact/", "campaigns/campaign/add/"} <= set(found)
    for path in found:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        assert page.evaluate(TOO_FAINT) == [], path


@every_look
def test_it_fits_and_can_be_read_before_the_log_in(club: LiveInstance, page: Page) -> None:
    for name in sorted(PUBLIC - {"account_reset_password_from_key"}):
        page.goto(reverse(name).lstrip("/"))
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), name
        assert page.evaluate(TOO_FAINT) == [], name


@pytest.mark.parametrize("viewport", [{"width": 390, "height": 844}], indirect=True)
def test_it_opens_the_menu_on_a_phone(club: LiveInstance, page: Page) -> None:
    log_in(page)
    settings = page.get_by_role("link", name="Settings")
    assert not settings.is_visible()

    page.get_by_role("button", name="Menu").click()
    settings.click()

    assert page.get_by_role("heading", level=1).inner_text() == "Settings"


def test_it_keeps_the_look_that_was_chosen(club: LiveInstance, page: Page) -> None:
    log_in(page)
    page.locator(".dp-me summary").click()
    page.get_by_text("Dark", exact=True).click()

    for _time in range(2):
        assert page.evaluate("document.documentElement.classList.contains('dark')")
        page.reload()


def test_it_comes_to_the_content_by_one_key(club: LiveInstance, page: Page) -> None:
    log_in(page)
    page.goto("people/")

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.id") == "main"
