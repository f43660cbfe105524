"""Writing a template beside its preview, in a real browser."""

import re
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import (
    Browser,
    FrameLocator,
    Locator,
    Page,
    Route,
    StorageState,
    expect,
)

from tests.browser.live_instance import LiveInstance
from tests.browser.looks import every_look, nothing_sticks_out
from tests.browser.owner import log_in

CONTACTS = (
    "Email,First name,Last name,Town\n"
    "ana@example.com,Ana,Jones,Bangor\n"
    "huw@example.com,Huw,Morgan,\n"
    "sioned@example.com,Siôn,Edwards,Aberdaron\n"
)
HOSTILE = """
<p onclick="parent.hit = 1" onmouseover="parent.hit = 1">Read me</p>
<script>parent.hit = 1; fetch("ELSEWHERE/script")</script>
<img src="ELSEWHERE/picture.png" onerror="parent.hit = 1" alt="a picture">
<img src=x onerror="parent.hit = 1">
<svg onload="parent.hit = 1"><script>parent.hit = 1</script></svg>
<iframe src="ELSEWHERE/frame"></iframe>
<object data="ELSEWHERE/object"></object>
<link rel="stylesheet" href="ELSEWHERE/style.css">
<style>@import url(ELSEWHERE/import.css);
p { background: url(ELSEWHERE/background.png) }</style>
<meta http-equiv="refresh" content="0; url=ELSEWHERE/refresh">
<base href="ELSEWHERE/">
<form action="ELSEWHERE/form"><button>Send</button></form>
<a href="javascript:parent.hit = 1">Click me</a>
"""


@pytest.fixture(scope="module")
def parts() -> Sequence[str]:
    return ("web",)


@pytest.fixture(scope="module")
def people(owned_instance: LiveInstance, tmp_path_factory: pytest.TempPathFactory) -> LiveInstance:
    contacts = tmp_path_factory.mktemp("templates") / "contacts.csv"
    contacts.write_text(CONTACTS)
    owned_instance.manage(
        "import_contacts", str(contacts), "--list", "All", "--consent", "They asked for it."
    )
    return owned_instance


class Elsewhere(ThreadingHTTPServer):
    """Another host, which a hostile message would call.

    A browser may connect without asking for anything: that must not keep it from the next caller.
    """

    asked_for: list[str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked_for.append(self.path)
            self.send_error(404)

        do_POST = do_GET

        def log_message(self, *_arguments: object) -> None:
            """Nothing."""

    with Elsewhere(("127.0.0.1", 0), Handler) as server:
        server.asked_for = []
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def preview(page: Page) -> FrameLocator:
    return page.frame_locator("iframe:not(.tpl-coming)")


def width(page: Page, name: str) -> Locator:
    return page.locator(".tpl-widths label").filter(has_text=name)


@pytest.fixture
def editor(people: LiveInstance, owner_page: Page) -> Page:
    owner_page.goto("campaigns/template/add/?start=letter")
    return owner_page


def test_it_fits_every_screen(people: LiveInstance, owner_page: Page) -> None:
    for address in ("", "add/", "add/?start=newsletter"):
        owner_page.goto(f"campaigns/template/{address}")
        expect(owner_page.get_by_role("heading", level=1)).to_be_visible()
        for look in every_look(owner_page):
            assert nothing_sticks_out(owner_page), (address, look)


def test_it_shows_what_is_typed_to_whom_one_chooses(editor: Page) -> None:
    expect(preview(editor).get_by_text("Dear Ana,")).to_be_visible()
    steps = editor.evaluate("history.length")

    editor.get_by_label("Message").fill("<p>Good morning {{ first_name }} of {{ town }}</p>")
    editor.get_by_label("Subject").fill("For {{ name }}")
    expect(preview(editor).get_by_text("Good morning Ana of Bangor")).to_be_visible()
    expect(editor.locator("#shown_subject")).to_have_text("For Ana Jones")

    editor.get_by_label("To", exact=True).fill("sioned@example.com")
    expect(preview(editor).get_by_text("Good morning Siôn of Aberdaron")).to_be_visible()
    expect(editor.locator("#shown_subject")).to_have_text("For Siôn Edwards")
    width(editor, "Plain text").click()
    expect(editor.locator("#shown_text")).to_contain_text("Good morning Siôn of Aberdaron")
    # Looking leaves no trace: "back" leads out of the editor.
    assert editor.evaluate("history.length") == steps
    assert editor.locator("iframe").count() == 1


def test_it_keeps_the_width_that_was_chosen(editor: Page) -> None:
    inner_width = "document.querySelector('iframe').clientWidth"
    assert editor.evaluate(inner_width) == 640

    width(editor, "Phone").click()
    assert editor.evaluate(inner_width) == 360
    editor.get_by_label("Message").fill("<p>Something else</p>")
    expect(preview(editor).get_by_text("Something else")).to_be_visible()
    assert editor.evaluate(inner_width) == 360


def test_it_mends_a_misspelt_field_and_adds_a_fallback(editor: Page) -> None:
    message = editor.get_by_label("Message")
    message.fill("<p>Ŵŷ 🎈</p>\n<p>🎈🎈 Dear {{ frist_name }} of {{ town }}</p>")

    expect(editor.get_by_text("Line 2: there is no field frist_name.")).to_be_visible()
    expect(editor.locator(".tpl-wrong").first).to_have_text("frist_name")
    editor.get_by_role("button", name="Use first_name").click()
    expect(message).to_have_value(re.compile(r"Dear \{\{ first_name \}\} of \{\{ town \}\}"))
    expect(editor.get_by_text("town is empty for 1 contact.")).to_be_visible()
    editor.get_by_role("button", name="Add a fallback").click()
    editor.keyboard.type("afar")
    expect(message).to_have_value(re.compile(r'of \{\{ town \| default: "afar" \}\}</p>$'))
    expect(preview(editor).get_by_text("🎈🎈 Dear Ana of Bangor")).to_be_visible()
    expect(editor.locator(".tpl-remark")).to_have_count(0)


def test_it_puts_a_field_where_the_cursor_is(editor: Page) -> None:
    message = editor.get_by_label("Message")
    message.fill("<p>Dear ,</p>")
    message.evaluate("field => field.setSelectionRange(8, 8)")
    editor.get_by_text("Insert a field").click()
    editor.get_by_role("button", name="First name").click()
    expect(message).to_have_value('<p>Dear {{ first_name | default: "there" }},</p>')
    editor.keyboard.type("all")
    expect(message).to_have_value('<p>Dear {{ first_name | default: "all" }},</p>')

    subject = editor.get_by_label("Subject")
    subject.fill("From ")
    editor.get_by_text("Insert a field").click()
    editor.get_by_role("button", name="Postal address").click()
    expect(subject).to_have_value("From {{ postal_address }}")


def test_it_waits_while_the_message_cannot_be_read(editor: Page) -> None:
    message = editor.get_by_label("Message")
    message.fill("<p>First</p>")
    expect(preview(editor).get_by_text("First")).to_be_visible()

    message.fill("<p>Second {{ first_name</p>")
    expect(editor.get_by_text("The preview waits")).to_be_visible()
    expect(preview(editor).get_by_text("First")).to_be_visible()
    editor.keyboard.press("Control+s")
    expect(editor.get_by_text("Not saved: this cannot be read yet.")).to_be_visible()
    expect(message).to_have_value("<p>Second {{ first_name</p>")
    expect(message).to_be_focused()

    message.fill("<p>Second {{ first_name }}</p>")
    expect(preview(editor).get_by_text("Second Ana")).to_be_visible()
    expect(editor.get_by_text("The preview waits")).to_be_hidden()


def test_it_stays_where_one_writes(editor: Page) -> None:
    message = editor.get_by_label("Message")
    long = "".join(f"<p>Paragraph {number}.</p>\n" for number in range(200))
    message.evaluate("(field, text) => { field.value = text }", long)  # `fill` types every line
    place = "field.value.indexOf('150.')"
    message.evaluate(f"field => field.setSelectionRange({place}, {place})")
    message.focus()
    editor.keyboard.type("near ")

    expect(preview(editor).get_by_text("Paragraph near 150.")).to_be_in_viewport()
    assert editor.evaluate("scrollY") == 0


def test_it_saves_by_a_key_and_says_what_it_removed(editor: Page) -> None:
    editor.get_by_label("Name").fill("Saved by a key")
    editor.get_by_label("Message").fill("<p onclick='x()'>Kept</p><script>x()</script>")
    expect(editor.get_by_text("Not saved yet")).to_be_visible()
    expect(editor.get_by_text("Will be left out, as a mail must not hold it")).to_be_visible()

    editor.keyboard.press("Control+s")

    expect(editor.get_by_role("heading", level=1)).to_have_text("Saved by a key")
    expect(
        editor.get_by_text("Removed, as a mail must not hold it: <script>, onclick.")
    ).to_be_visible()
    expect(editor.get_by_label("Message")).to_have_value("<p>Kept</p>")
    expect(preview(editor).get_by_text("Kept")).to_be_visible()


def test_it_lets_a_hostile_template_do_nothing(editor: Page, elsewhere: Elsewhere) -> None:
    """The `page` fixture itself fails on a request to another host and on any refusal."""
    width(editor, "Phone").click()
    editor.get_by_label("Name").fill("Hostile")
    editor.get_by_label("Message").fill(HOSTILE.replace("ELSEWHERE", elsewhere.url))
    for _look in ("typed", "kept"):
        expect(preview(editor).get_by_text("Read me")).to_be_visible()
        preview(editor).get_by_text("Read me").click()
        preview(editor).get_by_text("Click me").click()
        assert editor.evaluate("window.hit") is None
        assert "template/" in editor.url
        editor.get_by_label("Name").press("Control+s")
        expect(editor.get_by_role("heading", level=1)).to_have_text("Hostile")
        width(editor, "Phone").click()
    assert elsewhere.asked_for == []


def test_it_would_do_nothing_even_unsanitised(
    people: LiveInstance, browser: Browser, logged_in: StorageState, elsewhere: Elsewhere
) -> None:
    """The frame and its policy hold by themselves: here the sanitiser is out of the way."""
    hostile = HOSTILE.replace("ELSEWHERE", elsewhere.url)

    def without_sanitising(route: Route) -> None:
        route.fulfill(response=route.fetch(), body=f"<!doctype html><body>{hostile}")

    with browser.new_context(base_url=people.url, storage_state=logged_in) as context:
        page = context.new_page()
        page.route("**/preview/**", without_sanitising)
        page.goto("campaigns/template/add/?start=blank")
        page.get_by_label("Message").fill("<p>Anything</p>")
        expect(preview(page).get_by_text("Read me")).to_be_visible()
        preview(page).get_by_text("Read me").click()
        page.wait_for_timeout(1000)  # what it would ask for, it would have asked for

        assert page.evaluate("window.hit") is None
        assert "template/add/" in page.url
        assert elsewhere.asked_for == []


def test_it_would_be_caught_without_policy_and_frame(
    people: LiveInstance, browser: Browser, elsewhere: Elsewhere
) -> None:
    """The same message in a page of its own calls out: so the tests above can fail."""
    hostile = HOSTILE.replace("ELSEWHERE", elsewhere.url)
    with browser.new_context() as context:
        page = context.new_page()
        # It leads away from itself, and is never done with loading.
        page.set_content(hostile, wait_until="commit")
        deadline = time.monotonic() + 60
        while "/script" not in elsewhere.asked_for and time.monotonic() < deadline:
            page.wait_for_timeout(100)
        assert "/script" in elsewhere.asked_for


def test_it_works_without_script(people: LiveInstance, browser: Browser) -> None:
    with browser.new_context(base_url=people.url, java_script_enabled=False) as context:
        page = context.new_page()
        log_in(page)
        page.goto("campaigns/template/add/?start=blank")
        page.get_by_label("Name").fill("Without script")
        page.get_by_label("Subject").fill("Hello")
        page.get_by_label("Message").fill("<p>Good day {{ first_name }}")
        page.get_by_label("To", exact=True).fill("huw")
        page.get_by_role("button", name="Preview").click()
        expect(page.frame_locator("iframe").get_by_text("Good day Huw")).to_be_visible()

        page.get_by_label("Message").fill("<p>Good day {{ first_name")
        page.get_by_role("button", name="Preview").click()
        expect(page.frame_locator("iframe").get_by_text("is not closed by")).to_be_visible()
        page.get_by_label("Message").fill("<p>Good evening {{ first_name }}</p>")
        page.get_by_text("Insert a field").click()
        expect(page.locator("code:visible", has_text="{{ town }}")).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Without script")
        expect(page.frame_locator("iframe").get_by_text("Good evening Ana")).to_be_visible()
