"""Whole campaigns, from the file of contacts to the practice Gmail's own ledger."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

from tests.journeys import daypost
from tests.journeys.conftest import ANA, BEN
from tests.journeys.daypost import utc
from tests.journeys.virtual_clock import VirtualClock
from tests.practice_gmail import PracticeGmail

DAY = timedelta(hours=24)


def accepted_at(gmail: PracticeGmail, account: str = ANA) -> list[datetime]:
    rows = [row for row in gmail.ledger() if row["account"] == account]
    return sorted(datetime.fromisoformat(row["at"]) for row in rows)


def most_in_any_24_hours(moments: list[datetime]) -> int:
    """The fullest window, to the microsecond; `moments` are in order."""
    first = most = 0
    for last, moment in enumerate(moments):
        while moments[first] <= moment - DAY:
            first += 1
        most = max(most, last - first + 1)
    return most


def logins(gmail: PracticeGmail, account: str = ANA) -> int:
    counts = {row["email"]: row["logins"] for row in gmail.control()["accounts"]}
    return int(counts[account]["smtp"])


def end_sessions_after(gmail: PracticeGmail, people: list[str], count: int) -> None:
    """Every `count` messages Gmail ends the session, as if it had idled."""
    idle = {"where": "rcpt", "reply": "451 4.4.2 Timeout - closing connection."}
    gmail.control(faults=[{**idle, "to": each} for each in people[count::count]])


def by_day(gmail: PracticeGmail) -> dict[str, int]:
    return dict(Counter(moment.date().isoformat() for moment in accepted_at(gmail)))


def test_it_writes_to_1200_people_once_each_at_500_in_any_24_hours(
    gmail: PracticeGmail, shop: Path
) -> None:
    people = daypost.import_people(shop, "everybody", 1200)
    end_sessions_after(gmail, people, 50)
    before = logins(gmail)
    with VirtualClock(gmail, utc("2027-03-01T10:00:00")) as clock:
        campaign = daypost.launch(shop, "everybody", ANA, options=("--pace", "asap"))
        foretold = daypost.run("forecast", "--campaign", campaign)
        daypost.run("deliver", "--once")
        assert logins(gmail) - before == 10, "500 messages, and a session for each 50"
        daypost.send_until_done(clock, campaign)
        afterwards = daypost.run("forecast", "--campaign", campaign)
    assert Counter(row["to"] for row in gmail.ledger()) == Counter(people)
    assert len(gmail.refused()) == len(people[50::50])
    assert most_in_any_24_hours(accepted_at(gmail)) == 500
    days = {"2027-03-01": 500, "2027-03-02": 500, "2027-03-03": 200}
    assert foretold["by_day"] == afterwards["by_day"] == by_day(gmail) == days
    finished = accepted_at(gmail)[-1] - datetime.fromisoformat(foretold["finishes"])
    # The forecast takes what leaves together for one moment.
    assert timedelta() <= finished < timedelta(minutes=5)


def test_it_keeps_within_its_hours_and_what_the_rolling_window_allows(
    gmail: PracticeGmail, shop: Path
) -> None:
    people = daypost.import_people(shop, "everybody", 120)
    daypost.connect(shop, ANA, gmail.app_password(ANA), "--limit", 50)
    hours = ("--pace", "asap", "--hours", "09:00-12:00", "--days", "mon,tue,wed,thu,fri")
    before = logins(gmail)
    # A Thursday, late in the window: the next day's slots free as late.
    with VirtualClock(gmail, utc("2027-03-04T11:00:00")) as clock:
        campaign = daypost.launch(shop, "everybody", ANA, options=hours)
        foretold = daypost.run("forecast", "--campaign", campaign)
        daypost.send_until_done(clock, campaign)
    assert Counter(row["to"] for row in gmail.ledger()) == Counter(people)
    moments = accepted_at(gmail)
    assert most_in_any_24_hours(moments) <= 50
    assert all(9 <= moment.hour < 12 and moment.weekday() < 5 for moment in moments)
    days = {"2027-03-04": 50, "2027-03-05": 50, "2027-03-08": 20}
    assert foretold["by_day"] == by_day(gmail) == days
    assert gmail.refused() == []
    # On three days.
    assert logins(gmail) - before <= 3 * 2


def test_it_carries_less_on_a_day_whose_slots_free_too_late(
    gmail: PracticeGmail, shop: Path
) -> None:
    """Spread over the afternoon, what was sent last on one day blocks the end of the next."""
    daypost.import_people(shop, "everybody", 130)
    hours = ("--pace", "spread", "--hours", "13:00-17:00")
    account = daypost.connect(shop, BEN, gmail.app_password(BEN), "--limit", 60)
    with VirtualClock(gmail, utc("2027-03-01T15:30:00")) as clock:
        campaign = daypost.launch(shop, "everybody", BEN, options=hours)
        foretold = daypost.run("forecast", "--campaign", campaign)
        daypost.send_until_done(clock, campaign)
    moments = accepted_at(gmail, account.address)
    assert most_in_any_24_hours(moments) <= 60
    assert all(13 <= moment.hour < 17 for moment in moments)
    assert foretold["by_day"] == dict(Counter(one.date().isoformat() for one in moments))
    assert len(moments) == 130


def test_it_does_not_let_a_small_campaign_wait_behind_a_large_one(
    gmail: PracticeGmail, shop: Path
) -> None:
    daypost.import_people(shop, "large", 100)
    small = daypost.import_people(shop, "small", 5)
    daypost.connect(shop, ANA, gmail.app_password(ANA), "--limit", 50)
    asap = ("--pace", "asap")
    with VirtualClock(gmail, utc("2027-03-01T10:00:00")) as clock:
        first = daypost.launch(shop, "large", ANA, options=asap)
        second = daypost.launch(shop, "small", ANA, options=asap)
        foretold = daypost.run("forecast", "--campaign", second)
        daypost.run("deliver", "--once")
        assert daypost.run("campaign", second)["state"] == "finished"
        daypost.send_until_done(clock, first, second)
    assert foretold["by_day"] == {"2027-03-01": 5}
    first_day = {row["to"] for row in gmail.ledger() if row["at"] < "2027-03-02"}
    assert set(small) <= first_day
    assert len(first_day) == 50
    assert len(gmail.ledger()) == 105
    assert most_in_any_24_hours(accepted_at(gmail)) == 50


def test_it_uses_two_accounts_for_one_campaign(gmail: PracticeGmail, shop: Path) -> None:
    people = daypost.import_people(shop, "everybody", 90)
    daypost.connect(shop, ANA, gmail.app_password(ANA), "--limit", 50)
    daypost.connect(shop, BEN, gmail.app_password(BEN), "--limit", 20)
    with VirtualClock(gmail, utc("2027-03-01T10:00:00")) as clock:
        campaign = daypost.launch(shop, "everybody", BEN, ANA, options=("--pace", "asap"))
        foretold = daypost.run("forecast", "--campaign", campaign)
        daypost.send_until_done(clock, campaign)
    assert Counter(row["to"] for row in gmail.ledger()) == Counter(people)
    assert most_in_any_24_hours(accepted_at(gmail, ANA)) == 50
    assert most_in_any_24_hours(accepted_at(gmail, BEN)) <= 20
    first_day = [row for row in gmail.ledger() if row["at"] < "2027-03-02"]
    assert foretold["by_day"] == {"2027-03-01": len(first_day), "2027-03-02": 20}
    assert len(first_day) == 70
