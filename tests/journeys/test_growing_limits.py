"""Limits that grow, on the virtual clock: what the forecast says is what the sender does."""

from pathlib import Path

from accounts.models import GmailAccount
from tests.journeys import daypost
from tests.journeys.conftest import ANA, BEN
from tests.journeys.daypost import utc
from tests.journeys.test_whole_campaign import accepted_at
from tests.journeys.virtual_clock import VirtualClock
from tests.practice_gmail import PracticeGmail

ASAP = ("--pace", "asap")


def by_day(gmail: PracticeGmail, account: str) -> dict[str, int]:
    days: dict[str, int] = {}
    for moment in accepted_at(gmail, account):
        day = moment.date().isoformat()
        days[day] = days.get(day, 0) + 1
    return days


def test_it_follows_the_plan_for_a_new_mailbox(gmail: PracticeGmail, shop: Path) -> None:
    daypost.import_people(shop, "everybody", 25)
    GmailAccount.objects.update(limit=10, ramp=True, ramp_first=3, ramp_growth=100)
    with VirtualClock(gmail, utc("2027-03-01T10:00:00")) as clock:
        campaign = daypost.launch(shop, "everybody", ANA, options=ASAP)
        foretold = daypost.run("forecast", "--campaign", campaign)
        [use] = foretold["accounts"]
        assert (use["limit"], use["free_now"]) == (3, 3)
        daypost.send_until_done(clock, campaign)
    days = {"2027-03-01": 3, "2027-03-02": 6, "2027-03-03": 10, "2027-03-04": 6}
    assert foretold["by_day"] == by_day(gmail, ANA) == days
    assert gmail.refused() == []


def test_it_learns_from_a_refusal_and_knows_how_that_is_forgotten(
    gmail: PracticeGmail, shop: Path
) -> None:
    daypost.import_people(shop, "everybody", 24)
    daypost.connect(shop, BEN, gmail.app_password(BEN))
    with VirtualClock(gmail, utc("2027-03-01T10:00:00")) as clock:
        campaign = daypost.launch(shop, "everybody", BEN, options=ASAP)
        gmail.control(limit=5)
        daypost.run("deliver", "--once")
        gmail.control(limit=500)
        foretold = daypost.run("forecast", "--campaign", campaign)
        use = next(one for one in foretold["accounts"] if one["account"] == BEN)
        assert (use["limit"], use["used_24h"], use["free_now"]) == (5, 5, 0)
        daypost.send_until_done(clock, campaign)
    # Five a day, and one more with each day.
    days = {"2027-03-01": 5, "2027-03-02": 6, "2027-03-03": 7, "2027-03-04": 6}
    assert foretold["by_day"] == by_day(gmail, BEN) == days
    assert len(gmail.refused()) == 1
