"""The report of a campaign, the campaign's page and the list of messages say the same."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from campaigns.models import Campaign, Event, TrackedLink
from tests.belongings import Belongings
from tests.campaigns.reports.reporting import COUNTS, LATE, ZONE, make_reported


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture
def campaign(home: Belongings) -> Campaign:
    """Among other campaigns of the workspace."""
    make_reported(home.workspace)
    return make_reported(home.workspace, name="=Autumn", finished_at=LATE)


def url(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])


def text_of(answer) -> str:
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def listed(client: Client, address: str) -> int:
    """How many messages the list behind a number shows."""
    answer = client.get(address)
    assert answer.status_code == 200
    return len(answer.context["cl"].result_list)


def test_every_number_agrees_with_its_list_and_with_the_campaign_page(client, campaign):
    report = client.get(url("report", campaign)).context
    page = client.get(url("page", campaign)).context

    assert [line.count for line in report["lines"]] == list(COUNTS.values())
    for line in report["lines"]:
        assert listed(client, line.url) == line.count, line.name
    cells = [cell for row in report["rows"] for cell in row.cells]
    assert sum(count for _name, count, _url in cells) > 10
    for name, count, address in cells:
        assert listed(client, address) == count, name
    for line in report["links"]:
        assert listed(client, line.url) == line.count

    same = {line.url: line.count for line in report["lines"]}
    on_page = [*page["figures"], *page["came_back"]]
    assert {one.url for one in on_page} & same.keys()
    for one in on_page:
        assert same.get(one.url, one.count) == one.count
    assert same[report["lines"][0].url] == page["campaign"].recipients
    sent = sum(
        bar.count for day in page["calendar"].days for bar in day.bars if bar.series.key == "sent"
    )
    assert sent + page["calendar"].before == COUNTS["sent"]


def test_it_prints_the_formulas_and_says_what_is_an_estimate(client, campaign):
    shown = text_of(client.get(url("report", campaign)))
    assert "Sent − bounced − could not be delivered − refused by the recipient" in shown
    assert "Share = delivered ÷ sent." in shown
    assert "50.0\xa0%" in shown or "50.0 %" in shown
    assert "Opens and clicks are estimates." in shown
    assert "Day by day" in shown
    assert "Times in America/New_York." in shown


def test_what_was_not_counted_is_not_shown(client, campaign):
    Campaign.objects.update(track_opens=False, track_clicks=False)
    shown = text_of(client.get(url("report", campaign)))
    assert "estimate" not in shown
    assert "Opened" not in shown
    assert "shop.example" not in shown


def test_its_page_links_to_it(client, campaign):
    assert f'href="{url("report", campaign)}"' in text_of(client.get(url("page", campaign)))


def test_a_draft_has_none(client, home):
    draft = Campaign.objects.create(workspace=home.workspace, name="Draft")
    answer = client.get(url("report", draft))
    assert answer["Location"] == reverse("admin:campaigns_campaign_change", args=[draft.pk])


def test_one_of_which_nothing_has_left_says_so(client, campaign):
    campaign.messages.update(state="waiting", sent_at=None)
    Event.objects.all().delete()
    shown = text_of(client.get(url("report", campaign)))
    assert "Nothing has been sent yet." in shown
    assert "–" in shown


def test_it_is_downloaded_as_it_is_shown(client, campaign):
    TrackedLink.objects.update(url="=HYPERLINK(1)")
    answer = client.get(url("report_download", campaign))
    data = b"".join(answer.streaming_content)
    assert data.startswith(b"\xef\xbb\xbf")
    columns, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    assert columns[:5] == ["Figure", "From", "Until", "Link", "Messages"]
    assert {row[0]: int(row[4]) for row in rows[: len(COUNTS)]} == COUNTS
    # Nothing that a spreadsheet would run.
    assert rows[-1][3] == "'=HYPERLINK(1)"


def test_a_link_is_text_alone(client, campaign):
    TrackedLink.objects.update(url='javascript:alert(1)"><script>')
    shown = text_of(client.get(url("report", campaign)))
    assert 'href="javascript' not in shown
    assert "<script>" not in shown.partition("<main")[2]


# --- The list behind it -----------------------------------------------------------------------


def test_the_list_names_the_days_that_it_was_asked_for(client, campaign):
    shown = text_of(client.get(_of(campaign, sent_on=f"2026-03-02~2026-03-03~{ZONE}")))
    assert "Mon 2 Mar 2026 to Tue 3 Mar 2026" in shown


def test_the_list_has_its_days_in_the_zone_of_the_report(client, campaign):
    # 2 o'clock on the 4th in UTC, and 21 o'clock on the 3rd where it is sent from.
    assert LATE.day == 4
    assert listed(client, _of(campaign, sent_on=f"2026-03-03~2026-03-03~{ZONE}")) == 4
    assert listed(client, _of(campaign, sent_on=f"2026-03-04~2026-03-04~{ZONE}")) == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"sent_on": "yesterday"},
        {"sent_on": "2026-13-01~2026-13-02~UTC"},
        {"sent_on": "9999-12-31~9999-12-31~UTC"},
        {"sent_on": "0001-01-01~0001-01-01~Asia/Tokyo"},
        {"sent_on": "2026-03-02~2026-03-02~../../etc/passwd"},
        {"came_back": "replied", "came_on": "~"},
        {"came_back": "clicked", "link": "x"},
        {"came_back": "clicked", "link": "9" * 40},
    ],
)
def test_nonsense_is_answered_with_the_list(client, campaign, asked):
    assert client.get(_of(campaign, **asked), follow=True).status_code in (200, 404)


def test_a_link_of_somebody_elses_is_not_named(client, campaign, elsewhere):
    theirs = elsewhere.of(TrackedLink)
    shown = text_of(client.get(_of(campaign, came_back="clicked", link=str(theirs.pk))))
    assert theirs.url not in shown


def _of(campaign: Campaign, **asked: str) -> str:
    query = {"campaign__id__exact": str(campaign.pk)} | asked
    pairs = "&".join(f"{key}={value}" for key, value in query.items())
    return f"{reverse('admin:campaigns_message_changelist')}?{pairs}"
