import re
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import GmailAccount, Workspace
from campaigns.models import Campaign, Contact, ContactList, ListMembership, Suppression, Template
from tests.belongings import Belongings
from tests.campaigns.making import make_list

NEW = reverse("admin:campaigns_campaign_add")
EVERY_DAY = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
# A Tuesday.
NOW = datetime(2036, 11, 25, 14, 6, tzinfo=UTC)


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture
def draft(home: Belongings) -> Campaign:
    """A draft for which everything is chosen."""
    campaign = Campaign.objects.create(
        workspace=home.workspace, name="Autumn", template=home.of(Template), pace="asap"
    )
    campaign.lists.add(home.of(ContactList))
    campaign.accounts.add(home.of(GmailAccount))
    return campaign


def url(step: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{step}", args=[campaign.pk])


def text_of(answer) -> str:
    """What a person reads, with single spaces."""
    return " ".join(answer.content.decode().split())


def when_data(home: Belongings, **changes):
    given = {
        "accounts": [home.of(GmailAccount).pk],
        "start": "now",
        "days": EVERY_DAY,
        "pace": "asap",
    }
    return given | changes


def test_it_offers_a_name_that_no_campaign_has(client, home, draft):
    offered = r'value="(Campaign of \d+ \w+ \d+[^"]*)"'
    (name,) = re.findall(offered, text_of(client.get(NEW)))
    Campaign.objects.filter(pk=draft.pk).update(name=name)
    assert re.findall(offered, text_of(client.get(NEW))) == [f"{name} (2)"]


# --- The way through --------------------------------------------------------------------------


def test_it_leads_from_nothing_to_a_launched_campaign(client, home):
    answer = client.post(NEW, {"name": "Autumn", "lists": [home.of(ContactList).pk]})
    campaign = Campaign.objects.get(name="Autumn")
    assert answer.url == url("template", campaign)
    answer = client.post(answer.url, {"template": home.of(Template).pk})
    assert answer.url == url("when", campaign)
    answer = client.post(answer.url, when_data(home, hours_from="09:00", hours_to="17:30"))
    assert answer.url == url("review", campaign)
    review = text_of(client.get(answer.url))
    assert "Launch to 1 person" in review
    answer = client.post(url("launch", campaign))
    assert answer.url == url("page", campaign)
    campaign.refresh_from_db()
    assert (campaign.state, campaign.recipients) == ("sending", 1)
    assert (campaign.hours_from, campaign.hours_to) == (time(9), time(17, 30))
    assert campaign.created_by == home.owner
    assert campaign.messages.get().to_email == home.of(Contact).email


def test_looking_at_the_first_step_makes_no_campaign(client, home):
    before = Campaign.objects.count()
    assert client.get(NEW).status_code == 200
    assert Campaign.objects.count() == before


def test_a_draft_is_taken_up_where_it_was_left(client, home):
    change = "admin:campaigns_campaign_change"
    campaign = Campaign.objects.create(workspace=home.workspace, name="Autumn")
    door = reverse(change, args=[campaign.pk])
    assert client.get(door).url == url("audience", campaign)
    campaign.lists.add(home.of(ContactList))
    assert client.get(door).url == url("template", campaign)
    Campaign.objects.filter(pk=campaign.pk).update(template=home.of(Template))
    assert client.get(door).url == url("when", campaign)
    campaign.accounts.add(home.of(GmailAccount))
    assert client.get(door).url == url("review", campaign)
    assert client.get(reverse(change, args=[home.of(Campaign).pk])).url == url(
        "page", home.of(Campaign)
    )


def test_without_script_a_step_can_be_saved_to_see_what_comes_of_it(client, home, draft):
    answer = client.post(url("when", draft), when_data(home, stay="1", pace="spread"))
    assert answer.url == url("when", draft)
    draft.refresh_from_db()
    assert draft.pace == "spread"


def test_what_was_saved_stands_in_the_form_again(client, home, draft):
    data = when_data(
        home, start="later", start_date="2036-12-01", start_time="10:30", days=["mon", "tue"]
    )
    GmailAccount.objects.update(time_zone="Europe/Athens")
    with time_machine.travel(NOW, tick=False):
        client.force_login(home.owner)
        assert client.post(url("when", draft), data).status_code == 302
    draft.refresh_from_db()
    assert draft.start_at == datetime(2036, 12, 1, 8, 30, tzinfo=UTC)
    form = client.get(url("when", draft)).context["form"]
    assert (str(form.initial["start_date"]), str(form.initial["start_time"])) == (
        "2036-12-01",
        "10:30:00",
    )
    assert form.initial["days"] == ["mon", "tue"]
    page = text_of(client.get(url("when", draft)))
    assert 'value="2036-12-01"' in page
    assert "Dates and times are in Europe/Athens." in page


def test_the_only_account_is_chosen_already(client, home):
    campaign = Campaign.objects.create(workspace=home.workspace, name="Autumn")
    page = client.get(url("when", campaign))
    assert page.context["form"].initial["accounts"] == [home.of(GmailAccount)]


# --- Audience ---------------------------------------------------------------------------------


def test_it_counts_the_lists_that_are_ticked_and_names_who_is_left_out(client, home):
    other = make_list(home.workspace, 30)
    left_out = other.contacts.order_by("id").first()
    Suppression.objects.create(workspace=home.workspace, email_key=left_out.email_key)
    # Who is on both lists is one person.
    ListMembership.objects.create(contact_list=other, contact=home.of(Contact))
    ticked = {"lists": [other.pk, home.of(ContactList).pk]}
    answer = client.get(reverse("admin:campaigns_campaign_count"), ticked)
    assert answer.context["reached"] == 30
    assert "1 person is left out" in text_of(answer)
    assert left_out.email in text_of(answer)


def test_it_counts_nobody_of_another_workspace(client, home, elsewhere):
    ticked = {"lists": [elsewhere.of(ContactList).pk, "x"]}
    answer = client.get(reverse("admin:campaigns_campaign_count"), ticked)
    assert answer.context["reached"] == 0
    assert elsewhere.word not in text_of(answer)


def test_it_counts_nobody_on_a_list_that_is_none(client):
    ticked = {"lists": ["9" * 26, "²", "\0"]}
    answer = client.get(reverse("admin:campaigns_campaign_count"), ticked)
    assert answer.context["reached"] == 0


@pytest.mark.parametrize(
    ("lists", "sentence"),
    [
        ("none", "Choose at least one list."),
        ("empty", "There is nobody on this list yet."),
        ("suppressed", "Everybody on this list is suppressed"),
    ],
)
def test_it_says_beside_the_lists_why_nobody_would_get_it(client, home, lists, sentence):
    empty = ContactList.objects.create(workspace=home.workspace, name="Empty")
    if lists == "suppressed":
        Suppression.objects.create(workspace=home.workspace, email_key=home.of(Contact).email_key)
    chosen = {"none": [], "empty": [empty.pk], "suppressed": [home.of(ContactList).pk]}[lists]
    answer = client.post(NEW, {"name": "Typed with care", "lists": chosen})
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    assert 'value="Typed with care"' in text_of(answer)
    assert not Campaign.objects.filter(name="Typed with care").exists()


def test_it_says_what_to_do_first_where_there_is_no_list(client, home):
    ContactList.objects.all().delete()
    assert "Import contacts" in text_of(client.get(NEW))


# --- Template ---------------------------------------------------------------------------------


def test_it_says_beside_a_template_what_is_wrong_with_it(client, home, draft):
    Template.objects.update(subject="For {{ frist_name }}")
    page = text_of(client.get(url("template", draft)))
    assert "Subject: there is no field <code>frist_name</code>." in page
    assert "Did you mean <code>first_name</code>?" in page


def test_it_asks_for_a_template(client, draft):
    assert "Choose a template." in text_of(client.post(url("template", draft), {}))


# --- When -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"accounts": []}, "Choose a Gmail account to send from."),
        ({"days": []}, "Choose at least one weekday."),
        ({"hours_from": "17:00", "hours_to": "09:00"}, "The hours must end later than they begin."),
        ({"hours_from": "09:00", "hours_to": "09:00"}, "The hours must end later than they begin."),
        ({"hours_from": "9 o'clock"}, "Enter a valid time."),
        ({"start": "later"}, "Choose a date and a time."),
        ({"start": "later", "start_date": "2036-02-30"}, "Enter a valid date."),
        (
            {"start": "later", "start_date": "2020-01-01", "start_time": "09:00"},
            "This moment has passed.",
        ),
    ],
)
def test_it_refuses_what_cannot_be_and_keeps_what_was_typed(client, home, draft, changes, sentence):
    data = when_data(home, hours_from="08:15", pace="spread") | changes
    answer = client.post(url("when", draft), data)
    assert answer.status_code == 200
    assert sentence in text_of(answer)
    if "hours_from" not in changes:
        assert 'value="08:15"' in text_of(answer)
    draft.refresh_from_db()
    assert (draft.hours_from, draft.pace) == (None, "asap")


def test_midnight_as_the_end_is_the_end_of_the_day(client, home, draft):
    data = when_data(home, hours_from="18:00", hours_to="00:00")
    assert client.post(url("when", draft), data).status_code == 302
    draft.refresh_from_db()
    assert (draft.hours_from, draft.hours_to) == (time(18), None)


def test_the_forecast_moves_with_what_is_typed_and_saves_nothing(client, home, draft):
    draft.lists.add(make_list(home.workspace, 999))
    GmailAccount.objects.update(reserve_by_hand=0, reserve_transactional=0, time_zone="UTC")
    with time_machine.travel(NOW, tick=False):
        client.force_login(home.owner)
        every_day = text_of(client.get(url("forecast", draft), when_data(home)))
        on_fridays = text_of(client.get(url("forecast", draft), when_data(home, days=["fri"])))
    assert "500 today, 500 tomorrow; the last one leaves tomorrow 14:08." in every_day
    assert "500 on Friday, 500 on Fri 5 Dec; the last one leaves Fri 5 Dec, 00:00." in on_fridays
    draft.refresh_from_db()
    assert draft.days == ",".join(EVERY_DAY)


def test_the_forecast_says_what_is_missing_instead(client, home, draft):
    answer = client.get(url("forecast", draft), when_data(home, days=[]))
    assert "Choose at least one weekday." in text_of(answer)


def test_it_says_beside_an_account_that_it_has_no_room(client, home, draft):
    GmailAccount.objects.update(limit=0)
    page = text_of(client.get(url("when", draft)))
    assert "Nothing left for campaigns: raise its limit, or keep less free." in page
    assert "Nothing can leave as things stand." in page


# --- Review and launch ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spoil", "sentence", "way"),
    [
        (
            lambda home: Workspace.objects.update(postal_address=""),
            "no postal address",
            "/settings/",
        ),
        (
            lambda home: GmailAccount.objects.update(limit=0),
            "has nothing left for campaigns",
            "/accounts/gmailaccount/",
        ),
        (
            lambda home: GmailAccount.objects.update(state="needs_reconnecting"),
            "is not connected",
            "/accounts/gmailaccount/",
        ),
        (lambda home: Contact.objects.all().delete(), "Nobody would get this.", "/audience/"),
        (
            lambda home: Template.objects.update(html="<p>{{ shoe_size }}</p>"),
            "there is no field <code>shoe_size</code>",
            "/campaigns/template/",
        ),
        (lambda home: Template.objects.all().delete(), "Choose a template.", "/template/"),
    ],
)
def test_a_red_line_keeps_it_from_being_launched_and_says_where_it_is_mended(
    client, home, draft, spoil, sentence, way
):
    spoil(home)
    answer = client.get(url("review", draft))
    page = text_of(answer)
    assert sentence in page
    assert "One line above is red." in page
    [line] = [line for line in answer.context["lines"] if not line.check.ok]
    assert way in line.url
    assert client.get(line.url).status_code == 200
    assert re.search(r"<button [^>]*disabled[^>]*> Launch </button>", page)
    answer = client.post(url("launch", draft), follow=True)
    assert "Not launched. See what is red below." in text_of(answer)
    draft.refresh_from_db()
    assert (draft.state, draft.messages.count()) == ("draft", 0)


def test_a_field_that_is_empty_for_somebody_warns_and_does_not_hinder(client, home, draft):
    Contact.objects.update(first_name="")
    page = client.get(url("review", draft))
    assert "“first_name” is empty for 1 person." in text_of(page)
    assert page.context["red"] == []
    client.post(url("launch", draft))
    draft.refresh_from_db()
    assert draft.state == "sending"


def test_a_second_click_leads_to_the_campaign(client, draft):
    client.post(url("launch", draft))
    answer = client.post(url("launch", draft), follow=True)
    assert answer.redirect_chain[0][0] == url("page", draft)
    assert "This campaign was launched already." in text_of(answer)
    assert draft.messages.count() == 1


def test_looking_never_launches(client, draft):
    assert client.get(url("launch", draft)).status_code == 405
    draft.refresh_from_db()
    assert draft.state == "draft"


@pytest.mark.parametrize("step", ["audience", "template", "when", "review", "forecast"])
def test_a_late_step_does_not_write_over_a_launch(client, home, draft, step):
    client.post(url("launch", draft))
    for answer in (client.get(url(step, draft)), client.post(url(step, draft), {"name": "Late"})):
        assert answer.url == url("page", draft)
    draft.refresh_from_db()
    assert (draft.state, draft.name) == ("sending", "Autumn")


def test_the_review_shows_the_first_messages_in_frames_without_rights(client, home, draft):
    page = text_of(client.get(url("review", draft)))
    assert home.of(Contact).email in page
    assert '<iframe class="cp-frame" loading="lazy" sandbox title=' in page


def test_a_start_that_has_passed_meanwhile_is_said(client, home, draft):
    Campaign.objects.filter(pk=draft.pk).update(start_at=timezone.now() - timedelta(hours=1))
    assert "has passed" in text_of(client.get(url("review", draft)))


# --- Others -----------------------------------------------------------------------------------


def test_a_team_mate_may_do_all_of_it(team_mate_client, draft):
    for step in ("audience", "template", "when", "review"):
        assert team_mate_client.get(url(step, draft)).status_code == 200
    team_mate_client.post(url("launch", draft))
    draft.refresh_from_db()
    assert draft.state == "sending"


@pytest.mark.parametrize(
    "name",
    ["audience", "template", "when", "review", "forecast", "launch", "page", "change", "delete"],
)
def test_an_outsider_finds_nothing(outsider_client, draft, name):
    assert outsider_client.post(url(name, draft)).status_code == 404
    if name != "launch":
        assert outsider_client.get(url(name, draft)).status_code == 404
    draft.refresh_from_db()
    assert draft.state == "draft"


def test_nothing_of_another_workspace_is_offered_or_taken(client, home, elsewhere, draft):
    for step in ("audience", "template", "when"):
        assert elsewhere.word not in text_of(client.get(url(step, draft)))
    taken = {
        "audience": {"name": "Autumn", "lists": [elsewhere.of(ContactList).pk]},
        "template": {"template": elsewhere.of(Template).pk},
        "when": when_data(home, accounts=[elsewhere.of(GmailAccount).pk]),
    }
    for step, data in taken.items():
        assert client.post(url(step, draft), data).status_code == 200
    draft.refresh_from_db()
    assert draft.template == home.of(Template)
    assert list(draft.accounts.all()) == [home.of(GmailAccount)]
    assert list(draft.lists.all()) == [home.of(ContactList)]
