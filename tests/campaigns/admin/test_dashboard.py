from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.doctor.check import Check, Name, as_rows
from accounts.models import CheckUp, GmailAccount, LedgerRow, Membership, User, Workspace
from campaigns.models import Campaign, Contact, ContactImport, Message, Template
from campaigns.reports import wording
from tests.belongings import Belongings
from tests.campaigns.making import make_account, make_campaign, make_list, make_single, spend
from tests.cast import client_of

HOME_PAGE = reverse("admin:index")
LIVE = reverse("admin:dashboard_live")


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture
def workspace(home: Belongings) -> Workspace:
    """At home, with nothing that is going on."""
    Campaign.objects.update(state="finished", finished_at=timezone.now())
    GmailAccount.objects.update(state="disconnected")
    ContactImport.objects.all().delete()
    return home.workspace


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def context_of(client: Client):
    return client.get(HOME_PAGE).context


# --- First steps ------------------------------------------------------------------------------


def test_an_empty_workspace_is_taught_the_first_steps_and_ticks_what_is_done(db):
    person = User.objects.create_user("new@example.org", "a river under 7 bridges")
    workspace = Workspace.objects.create(name="New")
    Membership.objects.create(user=person, workspace=workspace)
    client = client_of(person)

    def steps() -> list[tuple[str, bool, bool]]:
        return [(one.step.value, one.done, one.current) for one in context_of(client)["steps"]]

    page = text_of(client.get(HOME_PAGE))
    assert "Welcome to Daypost" in page
    assert reverse("admin:campaigns_contactimport_add") in page
    assert steps() == [
        ("connect", False, True),
        ("import", False, False),
        ("write", False, False),
        ("launch", False, False),
    ]
    account = make_account(workspace)
    make_list(workspace, 1)
    assert steps()[:3] == [
        ("connect", True, False),
        ("import", True, False),
        ("write", False, True),
    ]
    Template.objects.create(workspace=workspace, name="T", subject="S", html="<p>T</p>")
    assert steps()[3] == ("launch", False, True)
    make_campaign(workspace, [account], 1)
    assert "Welcome to Daypost" not in text_of(client.get(HOME_PAGE))


# --- What is going on -------------------------------------------------------------------------


def test_it_says_what_leaves_next_and_when_the_last_one_does(client, workspace):
    account = make_account(workspace, address="siop@gmail.com")
    make_campaign(workspace, [account], 600)
    make_campaign(workspace, [account], 20)
    headline = context_of(client)["headline"]
    assert headline.first.startswith("Sending now, next to person")
    assert headline.second.startswith("2 campaigns are sending from siop@gmail.com. The last")
    spend(account, 500, timezone.now() - timedelta(hours=23))
    assert context_of(client)["headline"].first.startswith("Next message ")


def test_it_says_why_nothing_leaves(client, workspace):
    account = make_account(workspace, address="siop@gmail.com", limit=0)
    make_campaign(workspace, [account], 5, name="Autumn")
    context = context_of(client)
    assert context["headline"].first == "Nothing leaves now"
    assert "siop@gmail.com has nothing left for campaigns" in context["headline"].second
    assert "5 messages of “Autumn” cannot leave." in [need.what for need in context["needs"]]


def test_it_says_that_nothing_is_sending(client, workspace):
    page = text_of(client.get(HOME_PAGE))
    assert "Nothing is sending" in page
    assert LIVE not in page
    assert "All is well." in page


def test_it_asks_for_news_only_while_something_is_sending(client, workspace):
    make_campaign(workspace, [make_account(workspace)], 5)
    assert f'hx-get="{LIVE}"' in text_of(client.get(HOME_PAGE))
    answer = text_of(client.get(LIVE))
    assert '<span id="headline" hx-swap-oob="innerHTML">Sending now' in answer
    assert answer.count("hx-swap-oob") == 6


# --- The chart --------------------------------------------------------------------------------


def test_its_chart_counts_what_the_ledger_counts_and_what_is_planned(client, workspace):
    account = make_account(workspace, limit=100)
    campaign = make_campaign(workspace, [account], 60, name="Autumn")
    now = timezone.now()

    def used(count: int, source: str, hours: float, ref: int | None = None, **changes) -> None:
        at = now - timedelta(hours=hours)
        given = {"account": account, "source": source, "campaign_ref": ref, "recipients": count}
        state = {"state": LedgerRow.State.ACCEPTED, "reserved_at": at, "at": at}
        LedgerRow.objects.create(**given | state | changes)

    used(30, "campaign", 3, campaign.pk)
    used(7, "by_hand", 5)
    used(2, "test", 5)
    # Counted a day ago, not now; and never.
    used(11, "by_hand", 30)
    used(50, "campaign", 2, campaign.pk, state=LedgerRow.State.VOID)
    [panel] = context_of(client)["panels"]
    now_by_name = {area.series.name: area.now for area in panel.chart.areas}
    assert now_by_name == {"written by hand": 7, "single mails": 2, "Autumn": 30}
    # 39 are used and 60 wait for the 61 that are free.
    assert panel.chart.rows[8].total == 39 + 60
    assert panel.chart.rows[0].counts[0] == 11
    assert (panel.use.free_now, panel.free_soon) == (61, 0)


def test_it_says_that_an_account_rests_instead_of_what_would_be_free(client, workspace):
    account = make_account(workspace, time_zone="UTC", learned_limit=2, learned_at=timezone.now())
    spend(account, 1)
    assert "1 free now" in text_of(client.get(HOME_PAGE))
    GmailAccount.objects.update(
        resting_until=timezone.now() + timedelta(days=3),
        resting_reason="421 4.7.0 Try again later",
    )
    page = text_of(client.get(HOME_PAGE))
    assert "resting until" in page
    assert "Gmail has a passing trouble of its own." in page
    assert "free now" not in page


def test_its_chart_can_be_read_as_a_table_and_by_ear(client, workspace):
    account = make_account(workspace, address="siop@gmail.com")
    spend(account, 40)
    page = text_of(client.get(HOME_PAGE))
    assert 'aria-label="siop@gmail.com: 40 of 500 used in the last 24 hours.' in page
    assert '<th scope="col" class="dp-number">Together</th>' in page


def test_today_adds_what_was_sent_to_what_is_planned(client, workspace):
    account = make_account(workspace, time_zone="UTC", limit=40)
    Workspace.objects.update(time_zone="UTC")
    workspace.refresh_from_db()
    campaign = make_campaign(workspace, [account], 100)
    LedgerRow.objects.create(
        account=account,
        source="campaign",
        campaign_ref=campaign.pk,
        recipients=10,
        state="accepted",
        reserved_at=timezone.now(),
        at=timezone.now(),
    )
    days = context_of(client)["days"]
    assert len(days) == 14
    assert [day.total for day in days[:4]] == [40, 40, 30, 0]
    assert days[0].today


# --- What needs a person ----------------------------------------------------------------------


def test_it_names_what_needs_a_person_with_the_way_there(client, workspace):
    account = make_account(
        workspace, address="old@gmail.com", state="needs_reconnecting", state_reason="Revoked."
    )
    over = make_campaign(workspace, [account], 3, name="Spring", state="finished")
    over.messages.update(state="in_doubt", held_at=timezone.now(), held_why="not_found")
    by_daypost = make_campaign(
        workspace, [account], 1, name="Raffle", state="paused", state_reason="Too large (552)."
    )
    by_hand = make_campaign(workspace, [account], 1, name="By hand", state="paused")
    ContactImport.objects.create(
        workspace=workspace,
        file_name="people.csv",
        stored_as="x",
        state="finished",
        invalid=14,
        finished_at=timezone.now(),
    )
    answer = client.get(HOME_PAGE)
    assert [need.what for need in answer.context["needs"]] == [
        "old@gmail.com needs reconnecting.",
        "3 messages of “Spring” are in doubt.",
        "“Raffle” is paused.",
        "14 rows of people.csv were not imported.",
    ]
    page = text_of(answer)
    assert "Revoked. Its messages wait; nothing is lost." in page
    assert "Too large (552)." in page
    in_doubt = f"?campaign__id__exact={over.pk}&amp;state__exact=in_doubt"
    assert in_doubt in page
    assert reverse("admin:campaigns_campaign_page", args=[by_daypost.pk]) in page
    assert by_hand.name in page
    assert "3 need you: say that they arrived, or send them again." in page


def test_it_tells_apart_what_is_looked_for_and_what_needs_a_person(client, workspace):
    account = make_account(workspace, time_zone="UTC")
    campaign = make_campaign(workspace, [account], 3, name="Spring", state="finished")
    since = timezone.now().replace(second=0, microsecond=0)
    campaign.messages.update(state="in_doubt", doubt_since=since)
    make_single(account)
    Message.objects.filter(campaign=None).update(state="in_doubt", held_at=since)
    zone = ZoneInfo(workspace.time_zone)
    until = wording.clock(since + timedelta(minutes=15), since, zone)
    single, spring = context_of(client)["needs"]
    assert single.what == "1 single mail is in doubt."
    assert (single.pressing, spring.pressing) == (True, False)
    assert spring.detail == (
        f"3 are being looked for in Sent until {until}; nothing to do for you yet."
    )
    held = campaign.messages.order_by("id").values_list("pk", flat=True)[:1]
    Message.objects.filter(pk__in=list(held)).update(held_at=since)
    spring, _single = context_of(client)["needs"]
    assert spring.detail == (
        "1 needs you: say that it arrived, or send it again. "
        f"2 are being looked for in Sent until {until}; nothing to do for you yet."
    )
    campaign.messages.update(held_at=None, doubt_since=since - timedelta(minutes=20))
    detail = context_of(client)["needs"][1].detail
    assert detail == "3 are looked for in Sent as soon as the mailbox can be read."
    page = text_of(client.get(HOME_PAGE))
    assert 'message/?state__exact=in_doubt"' in page


def test_an_import_is_not_named_for_ever(client, workspace):
    ContactImport.objects.create(
        workspace=workspace,
        file_name="people.csv",
        stored_as="x",
        state="finished",
        invalid=14,
        finished_at=timezone.now() - timedelta(days=8),
    )
    assert context_of(client)["needs"] == []


# --- Others, and size -------------------------------------------------------------------------


def test_it_asks_no_more_of_the_database_for_more_of_everything(
    client, workspace, django_assert_max_num_queries
):
    make_campaign(workspace, [make_account(workspace)], 5)
    with django_assert_max_num_queries(28):
        client.get(HOME_PAGE)
    accounts = [make_account(workspace) for _ in range(5)]
    for account in accounts:
        spend(account, 3)
        make_campaign(workspace, accounts, 30)
        make_campaign(workspace, [account], 3, state="paused")
    with django_assert_max_num_queries(28):
        context = client.get(HOME_PAGE).context
    assert len(context["panels"]) == 6
    assert len(context["lines"]) == 12


def test_an_outsider_sees_only_their_own(outsider_client, home, elsewhere):
    for page in (HOME_PAGE, LIVE):
        shown = text_of(outsider_client.get(page))
        assert elsewhere.word in shown
        assert home.word not in shown


def test_it_counts_the_messages_of_this_workspace_only(client, home, elsewhere):
    Message.objects.filter(workspace=elsewhere.workspace).update(state="in_doubt")
    assert Contact.objects.count() > 1
    about = {need.about.value for need in context_of(client)["needs"]}
    assert "in_doubt" not in about


def test_it_says_what_the_doctor_found(client, workspace):
    account = make_account(workspace, address="ana@gmail.com")
    other = make_account(workspace, address="old@gmail.com", state="needs_reconnecting")
    imap = Check(Name.IMAP, False, True, "IMAP is off.", "Switch it on.")
    sent = Check(Name.SENT_FOLDER, False, True, "It waits.", waits_for=Name.IMAP)
    pop = Check(Name.POP, False, False, "POP is off.")
    for one in (account, other):
        CheckUp.objects.create(
            account=one,
            asked_at=timezone.now(),
            finished_at=timezone.now(),
            checks=as_rows([imap, sent, pop]),
        )
    needs = client.get(HOME_PAGE).context["needs"]
    assert [need.what for need in needs] == [
        "old@gmail.com needs reconnecting.",
        "The doctor found something to mend at ana@gmail.com.",
    ]
    assert needs[1].detail == "Reading by IMAP: IMAP is off."
    assert reverse("admin:gmail_doctor", args=[account.pk]) in text_of(client.get(HOME_PAGE))
    CheckUp.objects.update(finished_at=None)
    assert len(client.get(HOME_PAGE).context["needs"]) == 1
