from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import GmailAccount
from campaigns.models import Campaign, Message, Revision
from campaigns.rendering import merge
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_campaign, spend

M = Message.State


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture
def campaign(home: Belongings) -> Campaign:
    """Sending to 40 people, 25 a day; two got it, and one is in doubt."""
    Campaign.objects.update(state="cancelled")
    account = make_account(home.workspace, address="siop@gmail.com", limit=25)
    campaign = make_campaign(home.workspace, [account], 40, name="Autumn")
    move(campaign, 0, 2, state=M.SENT, account=account, sent_at=timezone.now())
    move(campaign, 2, 1, state=M.IN_DOUBT, account=account)
    return campaign


def move(campaign: Campaign, first: int, count: int, **changes) -> None:
    rows = campaign.messages.order_by("id").values_list("pk", flat=True)[first : first + count]
    Message.objects.filter(pk__in=list(rows)).update(**changes)


def url(name: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{name}", args=[campaign.pk])


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def headline(client: Client, campaign: Campaign) -> str:
    return client.get(url("page", campaign)).context["headline"]


# --- What it says -----------------------------------------------------------------------------


def test_it_says_what_is_going_on_in_one_line(client, campaign):
    third = campaign.messages.order_by("id")[3].to_email.partition("@")[0]
    said = headline(client, campaign)
    assert said.startswith(f"Sending now, next to {third}@…, 2 of 40 sent, finishes ")


def test_it_says_why_not_now(client, campaign):
    spend(campaign.accounts.get(), 25, timezone.now() - timedelta(hours=1))
    assert headline(client, campaign).startswith("Resting until ")


def test_a_gap_between_two_bursts_is_no_reason_but_a_moment(client, campaign):
    campaign.campaign_accounts.update(claims=10, last_claim_at=timezone.now())
    Campaign.objects.filter(pk=campaign.pk).update(pace="spread")
    said = headline(client, campaign)
    assert said.startswith("Next message ")
    assert "@…" in said


def test_it_says_that_there_is_no_end_as_things_stand(client, campaign):
    GmailAccount.objects.update(limit=0)
    assert "no end in sight as things stand" in headline(client, campaign)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"state": "paused", "state_reason": ""},
            "Paused. Nothing leaves until you resume it. 2 of 40 sent.",
        ),
        ({"state": "paused", "state_reason": "Too large (552)."}, "Too large (552). 2 of 40 sent."),
        ({"state": "cancelled"}, "Cancelled. What had not left will never leave. 2 of"),
        ({"state": "finished", "finished_at": timezone.now()}, "Finished "),
    ],
)
def test_it_says_how_it_stands_when_it_is_not_sending(client, campaign, changes, words):
    Campaign.objects.filter(pk=campaign.pk).update(**changes)
    assert headline(client, campaign).startswith(words)


def test_every_count_is_a_link_to_the_messages_behind_it(client, campaign):
    figures = client.get(url("page", campaign)).context["figures"]
    assert {figure.name: figure.count for figure in figures} == {
        "sent": 2,
        "waiting": 37,
        "in doubt": 1,
    }
    for figure in figures:
        shown = client.get(figure.url).context["cl"].result_list
        assert len(shown) == min(figure.count, 50)
        assert {str(message.get_state_display()) for message in shown} == {figure.name}


def test_it_explains_a_doubt_honestly(client, campaign):
    page = text_of(client.get(url("page", campaign)))
    assert "1 message is in doubt." in page
    assert "Daypost never sends such a message again by itself" in page
    assert "1 is looked for in Sent as soon as the mailbox can be read." in page
    Message.objects.filter(state=M.IN_DOUBT).update(held_at=timezone.now())
    assert "1 needs you: say that it arrived" in text_of(client.get(url("page", campaign)))


def test_numbers_have_separators_for_people_and_none_for_machines(client, campaign):
    Campaign.objects.filter(pk=campaign.pk).update(recipients=1040)
    page = text_of(client.get(url("page", campaign)))
    assert '<progress class="dp-progress" value="2" max="1040"' in page
    assert "2 of 1,040 done" in page


def test_its_calendar_adds_what_is_planned_to_what_was_sent(client, campaign):
    days = client.get(url("page", campaign)).context["calendar"].days
    counts = {bar.series.key: bar.count for bar in days[0].bars}
    assert counts == {"sent": 2, "planned": 25}
    assert sum(day.total for day in days) == 39


def test_what_was_cancelled_is_not_shown_as_done(client, campaign):
    client.post(url("cancel", campaign))
    context = client.get(url("page", campaign)).context
    assert (context["done"], context["percent"]) == (2, 5)


# --- Live -------------------------------------------------------------------------------------


def test_it_asks_again_only_while_it_sends(client, campaign):
    live = url("live", campaign)
    assert f'hx-get="{live}" hx-trigger="every 2s"' in text_of(client.get(url("page", campaign)))
    answer = client.get(live)
    assert '<p id="headline" hx-swap-oob="innerHTML">Sending now' in text_of(answer)
    assert "HX-Refresh" not in answer
    assert 'hx-trigger="every 2s" hx-swap="none" hx-swap-oob="true"' in text_of(answer)
    spend(campaign.accounts.get(), 25)
    assert 'hx-trigger="every 15s"' in text_of(client.get(live))
    # The last before a rest is still on its way.
    for state in (M.CLAIMED, M.HANDING_OVER):
        move(campaign, 5, 1, state=state)
        assert 'hx-trigger="every 2s"' in text_of(client.get(live))
    Campaign.objects.filter(pk=campaign.pk).update(state="paused")
    assert client.get(live)["HX-Refresh"] == "true"
    assert live not in text_of(client.get(url("page", campaign)))


def test_it_asks_no_more_of_the_database_for_more_messages_or_accounts(
    client, campaign, django_assert_max_num_queries
):
    with django_assert_max_num_queries(26):
        client.get(url("page", campaign))
    more = make_account(campaign.workspace)
    make_campaign(campaign.workspace, [more], 300)
    with django_assert_max_num_queries(26):
        client.get(url("page", campaign))


# --- What can be done -------------------------------------------------------------------------


def test_pause_and_resume_say_what_will_happen_and_do_it(client, campaign):
    assert "At most one message of each account is being handed over" in text_of(
        client.get(url("page", campaign))
    )
    answer = client.post(url("pause", campaign), follow=True)
    assert "Paused. Nothing leaves until you resume it." in text_of(answer)
    assert "37 messages wait." in text_of(answer)
    answer = client.post(url("resume", campaign), follow=True)
    assert "It goes on where it stopped." in text_of(answer)
    campaign.refresh_from_db()
    assert campaign.state == "sending"


def test_cancel_says_how_many_will_never_leave(client, campaign):
    page = text_of(client.get(url("page", campaign)))
    assert "37 messages that wait will never leave. This cannot be undone." in page
    client.post(url("cancel", campaign))
    assert campaign.messages.filter(state=M.CANCELLED).count() == 37


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_what_is_not_possible_any_more_is_said_in_a_sentence(client, campaign, action):
    Campaign.objects.filter(pk=campaign.pk).update(state="finished")
    answer = client.post(url(action, campaign), follow=True)
    assert "Nothing was done: this campaign is finished by now." in text_of(answer)


@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_nothing_is_done_by_a_link(client, campaign, action):
    assert client.get(url(action, campaign)).status_code == 405


# --- The frozen content -----------------------------------------------------------------------


def test_it_shows_the_frozen_content_as_the_first_recipient_gets_it(client, campaign):
    page = text_of(client.get(url("content", campaign)))
    assert "News for Person 0" in page
    assert "<code>News for {{ first_name }}</code>" in page
    document = client.get(url("content_document", campaign))
    assert "<p>Dear Person 0</p>" in document.content.decode()


def test_the_content_is_shown_without_any_rights(client, campaign):
    Revision.objects.filter(campaign=campaign).update(html="<script>alert(1)</script><p>Hello</p>")
    document = client.get(url("content_document", campaign))
    policy = document["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} <= set(policy)
    assert not [one for one in policy if one.startswith("script-src")]
    assert '<iframe class="cp-frame cp-tall" sandbox' in text_of(
        client.get(url("content", campaign))
    )


def test_content_that_fails_for_the_first_recipient_is_shown_as_it_was_written(client, campaign):
    source = "{% if first_name > 3 %}x{% endif %}"
    with pytest.raises(merge.MergeError):
        merge.render_text(source, {"first_name": "Ana"})
    Revision.objects.filter(campaign=campaign).update(subject=source, text=source)
    assert "{% if first_name &gt; 3 %}" in text_of(client.get(url("content", campaign)))


def test_a_draft_has_no_page_and_no_content(client, home):
    draft = Campaign.objects.create(workspace=home.workspace, name="Draft")
    assert client.get(url("page", draft)).url == url("change", draft)
    assert client.get(url("content", draft)).status_code == 404


# --- Others -----------------------------------------------------------------------------------


def test_a_team_mate_may_pause(team_mate_client, campaign):
    team_mate_client.post(url("pause", campaign))
    campaign.refresh_from_db()
    assert campaign.state == "paused"


@pytest.mark.parametrize("name", ["page", "live", "content", "content_document"])
def test_an_outsider_sees_nothing(outsider_client, campaign, name):
    assert outsider_client.get(url(name, campaign)).status_code == 404


@pytest.mark.parametrize("name", ["pause", "resume", "cancel"])
def test_an_outsider_does_nothing(outsider_client, campaign, name):
    assert outsider_client.post(url(name, campaign)).status_code == 404
    campaign.refresh_from_db()
    assert campaign.state == "sending"


def test_it_tells_every_time_in_the_zone_that_it_names(client, campaign):
    """Its accounts may be in several; the page is in the first one's."""
    first = campaign.accounts.get()
    GmailAccount.objects.filter(pk=first.pk).update(time_zone="Asia/Tokyo", state="disconnected")
    until = timezone.now() + timedelta(hours=2)
    second = make_account(campaign.workspace, time_zone="Europe/Athens", resting_until=until)
    campaign.campaign_accounts.create(account=second)
    page = client.get(url("page", campaign))
    assert "Times in Asia/Tokyo." in text_of(page)
    tokyo = date_format(until.astimezone(ZoneInfo("Asia/Tokyo")), "D j M, H:i")
    assert f"rests until {tokyo}" in page.context["headline"]
