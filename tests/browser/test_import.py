"""Importing contacts in a real browser, with the worker that `make run` starts."""

from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.live_instance import LiveInstance
from tests.browser.looks import DESKTOP, PHONE, nothing_sticks_out

MESSY = (
    "Members of the club;;;\n"
    "E-Mail;Vorname;Name;Nr.\n"
    "ana@example.org;Ana;Lee;17\n"
    "ben;Ben;Kay;18\n"
    "zoe@example.org;Zoë;Müller;19\n"
    "ana@example.org;Ana;Lee;17\n"
).encode("cp1252")


@pytest.fixture(scope="module")
def parts() -> Sequence[str]:
    return ("web", "worker")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_imports_and_shows_how_far_it_is(
    size: ViewportSize, owner_page: Page, owned_instance: LiveInstance
) -> None:
    page = owner_page
    page.set_viewport_size(size)
    page.goto("campaigns/contactimport/add/")
    assert nothing_sticks_out(page)
    page.get_by_label("CSV file").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": MESSY}
    )
    page.get_by_role("button", name="Continue").click()

    expect(page.get_by_label("Encoding")).to_have_value("cp1252")
    expect(page.get_by_label("Line with the names")).to_have_value("2")
    expect(page.get_by_text("Zoë")).to_be_visible()
    expect(page.get_by_role("cell", name="This is not an e-mail address.")).to_be_visible()
    assert nothing_sticks_out(page)

    # What was typed stays while the reading is corrected, and the page is not loaded again.
    page.get_by_label("List").fill("Members")
    page.get_by_label("E-Mail", exact=True).select_option("-")
    expect(page.get_by_role("alert")).to_contain_text("No column holds e-mail addresses")
    page.get_by_label("E-Mail", exact=True).select_option("email")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.get_by_label("List")).to_have_value("Members")
    page.get_by_label("Where does the consent come from?").fill("Sign-up form")
    page.get_by_role("button", name="Import", exact=True).click()

    # No reload: the page that was shown fetches its progress from the worker's work.
    expect(page.get_by_role("heading", name="The import is done")).to_be_visible(timeout=45_000)
    assert nothing_sticks_out(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all of them").click()
    assert "ben,Ben,Kay,18,4,bad_syntax" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("link", name="See Members").click()
    expect(page.get_by_role("link", name="zoe@example.org")).to_be_visible()
    assert nothing_sticks_out(page)
    assert owned_instance.manage("contacts", "--list", "Members").splitlines() == [
        "ana@example.org\tAna Lee\tMembers",
        "zoe@example.org\tZoë Müller\tMembers",
    ]


def test_it_takes_a_file_that_is_dropped_on_the_page(owner_page: Page) -> None:
    page = owner_page
    page.goto("campaigns/contactimport/add/")
    dropped = page.evaluate_handle(
        """() => {
            const dropped = new DataTransfer();
            dropped.items.add(new File(["Email\\na@example.org\\n"], "dropped.csv"));
            return dropped;
        }"""
    )
    page.dispatch_event(".dp-card", "drop", {"dataTransfer": dropped})
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Import dropped.csv")
