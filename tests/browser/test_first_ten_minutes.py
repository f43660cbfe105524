"""The whole way of a newcomer: from the first page to 500 messages in the practice Gmail."""

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.live_instance import LiveInstance
from tests.browser.looks import every_look, nothing_sticks_out

SECONDS_FOR_500 = 300


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A real-looking file: 1,200 good rows among a few that are not."""
    rows = [f"member{number}@example.org,Person {number},Bangor" for number in range(1200)]
    rows[600:600] = ["no address here,Nobody,Bangor", "member7@example.org,Again,Bangor"]
    file = tmp_path / "members.csv"
    file.write_text("E-mail,First name,Town\n" + "\n".join(rows) + "\n")
    return file


@pytest.mark.both_databases
def test_it_takes_a_newcomer_from_signing_up_to_500_messages(
    page: Page, live_instance: LiveInstance, people: Path
) -> None:
    see_the_way_in(page)
    sign_up(page)
    connect_through_the_consent_page(page)
    see_the_doctor(page)
    give_a_postal_address(page)
    import_contacts(page, people)
    write_a_template(page)
    launch(page)

    pause_and_resume(page, live_instance)
    wait_for(live_instance, 500)
    expect(page.get_by_text(re.compile("Resting until .*: 500 of the 500"))).to_be_visible()
    expect(page.get_by_text("500 of 1,200 done")).to_be_visible()

    page.goto(live_instance.practice_url)
    expect(page.get_by_text("500 messages").first).to_be_visible()
    ledger = live_instance.practice_ledger()
    assert set(Counter(row["to"] for row in ledger).values()) == {1}
    assert len(ledger) == 500


def see_the_way_in(page: Page) -> None:
    page.goto("")
    expect(page).to_have_url(re.compile("/account/"))
    page.goto("account/signup/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Daypost")
    for look in every_look(page):
        assert nothing_sticks_out(page), look
        expect(page.get_by_label("E-mail address")).to_be_visible()
        expect(page.get_by_role("button", name="Create account")).to_be_visible()


def sign_up(page: Page) -> None:
    page.get_by_label("E-mail address").fill("ana@example.org")
    page.get_by_label("Name of your organisation").fill("Ana's garden")
    # Refused at first, which must lose nothing.
    choose_password(page, "12345678")
    expect(page.get_by_text("This password is too common.")).to_be_visible()
    expect(page.get_by_label("E-mail address")).to_have_value("ana@example.org")
    expect(page.get_by_label("Name of your organisation")).to_have_value("Ana's garden")

    choose_password(page, "correct horse battery staple")
    expect(page).to_have_url(re.compile(r":\d+/$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Welcome to Daypost")
    expect(page.get_by_role("link", name="Dashboard")).to_be_visible()


def choose_password(page: Page, password: str) -> None:
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password, once more").fill(password)
    page.get_by_role("button", name="Create account").click()


def connect_through_the_consent_page(page: Page) -> None:
    # The heading of the dashboard says what to do first.
    page.get_by_role("main").get_by_role("link", name="Connect Gmail").click()
    if not page.url.endswith("/gmail/connect/"):
        page.get_by_role("link", name="Connect Gmail").first.click()
    page.get_by_role("button", name="Connect a practice account").click()
    # First a change of mind, which must lose nothing.
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Connect Gmail")
    page.get_by_role("button", name="Connect a practice account").click()
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("practice@gmail.com is connected.")).to_be_visible()


def see_the_doctor(page: Page) -> None:
    """It began by itself when the account was connected; its lines come without a reload."""
    page.get_by_role("link", name=re.compile("The doctor is looking|All 7 checks passed")).click()
    expect(page.get_by_text("All 7 checks passed, today")).to_be_visible(timeout=30_000)


def give_a_postal_address(page: Page) -> None:
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Postal address").fill("1 High Street\nTregaron")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Postal address")).to_have_value("1 High Street\nTregaron")


def import_contacts(page: Page, people: Path) -> None:
    page.goto("campaigns/contactimport/add/")
    page.get_by_label("CSV file").set_input_files(people)
    page.get_by_role("button", name="Continue").click()
    # Reasons before anything is written.
    expect(page.get_by_text("1 × This is not an e-mail address.")).to_be_visible()
    page.get_by_label("List").fill("Members")
    page.get_by_label("Where does the consent come from?").fill("The form in the shop")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("finished").first).to_be_visible(timeout=60_000)
    expect(page.get_by_text("1,200").first).to_be_visible()


def write_a_template(page: Page) -> None:
    page.goto("campaigns/template/add/?start=letter")
    page.get_by_label("Subject").fill("A letter for {{ first_name }}")
    expect(page.locator("#shown_subject")).to_have_text("A letter for Person 0")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/campaigns/template/\d+/change/"))


def launch(page: Page) -> None:
    page.goto("campaigns/campaign/add/")
    page.get_by_label("Members").check()
    page.get_by_role("button", name="Save and go on").click()
    page.locator("input[name=template]").first.check()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_label("practice@gmail.com").check()
    page.get_by_label("As soon as allowed").check()
    expect(page.get_by_text("500 today")).to_be_visible()
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("button", name="Launch to 1,200 people").click()
    expect(page.get_by_text("1,200 messages are on their way")).to_be_visible()


def pause_and_resume(page: Page, live_instance: LiveInstance) -> None:
    wait_for(live_instance, 20)
    page.get_by_role("button", name="Pause").click()
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused. Nothing leaves until you resume it.")).to_be_visible()
    let_what_is_under_way_end(live_instance, campaign_on(page))
    before = len(live_instance.practice_ledger())
    live_instance.manage("deliver", "--once")
    assert len(live_instance.practice_ledger()) == before < 500
    page.get_by_role("button", name="Resume").click()
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Sending now")).to_be_visible()


def campaign_on(page: Page) -> str:
    (number,) = re.findall(r"/campaigns/campaign/(\d+)/", page.url)
    return str(number)


def let_what_is_under_way_end(live_instance: LiveInstance, campaign: str) -> None:
    deadline = time.monotonic() + SECONDS_FOR_500
    while True:
        counts = json.loads(live_instance.manage("campaign", campaign, "--json"))["counts"]
        if not counts["claimed"] and not counts["handing_over"]:
            return
        assert time.monotonic() < deadline, live_instance.log


def wait_for(live_instance: LiveInstance, messages: int) -> None:
    """Until so many have reached the practice Gmail."""
    deadline = time.monotonic() + SECONDS_FOR_500
    while len(live_instance.practice_ledger()) < messages:
        sent = len(live_instance.practice_ledger())
        assert time.monotonic() < deadline, f"{sent} messages left.\n{live_instance.log}"
        time.sleep(0.2)
