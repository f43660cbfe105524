"""The report of all campaigns over time, and the lists behind its numbers."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, Message
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_single
from tests.campaigns.reports.reporting import LATE, ZONE, make_reported

REPORT = reverse("admin:report")
ASKED = {"by": "week", "until": "2026-03-20"}


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture(autouse=True)
def campaigns(home: Belongings) -> None:
    """Two campaigns whose account has other days than the workspace, and mail of none."""
    home.workspace.time_zone = "Europe/Berlin"
    home.workspace.save()
    assert home.workspace.time_zone != ZONE
    make_reported(home.workspace, name="First")
    make_reported(home.workspace, name="=Second")
    # Midnight in Berlin is the evening before in New York: the next week here, not there.
    Message.objects.filter(campaign__name="=Second", state="sent").update(
        sent_at=LATE.replace(day=8, hour=23)
    )
    make_single(make_account(home.workspace))
    Message.objects.filter(campaign=None).update(state="sent", sent_at=LATE)


def text_of(answer) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("by", ["week", "month"])
def test_every_number_agrees_with_the_list_behind_it(client, by):
    context = client.get(REPORT, ASKED | {"by": by}).context
    cells = [cell for row in (*context["rows"], *context["campaigns"]) for cell in row.cells]
    counted = [cell for cell in cells if cell.count]
    assert len(counted) == {"week": 20, "month": 15}[by]
    for cell in counted:
        assert len(client.get(cell.url).context["cl"].result_list) == cell.count, cell.name


def test_the_newest_stands_first_and_the_chart_ends_with_it(client):
    context = client.get(REPORT, ASKED).context
    assert context["rows"][0].name == context["last"] == "Mon 16 Mar 2026 to Sun 22 Mar 2026"
    assert [row.name for row in context["campaigns"]] == ["=Second", "First"]
    sent = context["strips"][0]
    assert (sent.highest, len(sent.blocks)) == (8, 2)


def test_it_prints_its_formulas(client):
    shown = text_of(client.get(REPORT, ASKED))
    assert "Delivered as far as known = sent − bounced − could not be delivered" in shown
    assert "these ÷ delivered" in shown
    assert "Times in Europe/Berlin." in shown


def test_one_goes_to_earlier_times_and_back_and_never_beyond_today(client):
    now = client.get(REPORT, {"by": "month"}).context
    assert now["later"] == ""
    before = client.get(REPORT + now["earlier"]).context
    assert before["step"] == "month"
    assert before["rows"][0].name != now["rows"][0].name
    again = client.get(REPORT + before["later"]).context
    assert [row.name for row in again["rows"]] == [row.name for row in now["rows"]]


@pytest.mark.parametrize("until", ["", "soon", "0001-01-01", "9999-12-31", "2026-02-30"])
def test_nonsense_is_answered_with_what_is_now(client, until):
    now = client.get(REPORT).context["whole"]
    assert client.get(REPORT, {"by": "year", "until": until}).context["whole"] == now


def test_it_says_when_nothing_was_sent(client):
    Campaign.objects.all().delete()
    assert "No campaign sent anything in this time." in text_of(client.get(REPORT))


def test_it_is_downloaded_as_it_is_shown(client):
    shown = text_of(client.get(REPORT, ASKED))
    address = f"{reverse('admin:report_download')}?by=week&amp;until=2026-03-20"
    assert f'href="{address}"' in shown
    data = b"".join(client.get(address.replace("&amp;", "&")).streaming_content)
    columns, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert columns[2:4] == ["Campaign", "Sent"]
    assert ["2026-03-02", "2026-03-08", "all campaigns", "8", "4", "1", "2", "1"] in rows
    # Nothing that a spreadsheet would run.
    assert rows[-2][2:4] == ["'=Second", "8"]


def test_a_month_is_called_by_its_name(client):
    rows = client.get(REPORT, ASKED | {"by": "month"}).context["rows"]
    assert rows[0].name == "March 2026"
    assert date(2026, 3, 1) + timedelta(days=30) == date(2026, 3, 31)
