"""What a person may decide about messages on their pages and in their list; outsiders may not."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.models import Campaign, HistoryEntry, Message
from tests.belongings import Belongings
from tests.campaigns.doubting import fresh, long_ago, put_in_doubt
from tests.campaigns.making import make_account, make_campaign

LIST = reverse("admin:campaigns_message_changelist")
DECISIONS = ("arrived", "send_again", "try_again")
M = Message.State


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


@pytest.fixture
def account(home: Belongings) -> GmailAccount:
    Campaign.objects.update(state="cancelled")
    return make_account(home.workspace, address="siop@gmail.com", inbound="imap")


@pytest.fixture
def campaign(home: Belongings, account: GmailAccount) -> Campaign:
    return make_campaign(home.workspace, [account], 3, name="Autumn")


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def page_of(client: Client, message: Message) -> str:
    return text_of(client.get(reverse("admin:campaigns_message_change", args=[message.pk])))


def decide(client: Client, name: str, message: Message):
    url = reverse(f"admin:campaigns_message_{name}", args=[message.pk])
    return client.post(url, follow=True)


# --- Its page ---------------------------------------------------------------------------------


def test_it_says_until_when_a_doubt_is_looked_for(client, account, campaign):
    message = put_in_doubt(account)
    since = message.doubt_since
    page = page_of(client, message)
    until = f"{since + timedelta(minutes=15):%H:%M}"
    assert f"looks for it in the Sent folder until {until}" in page
    offered = f"{since + timedelta(minutes=30):%H:%M}"
    assert f"From {offered} on: until then Gmail may still be taking the first one." in page
    assert reverse("admin:campaigns_message_arrived", args=[message.pk]) in page
    assert reverse("admin:campaigns_message_send_again", args=[message.pk]) not in page


@pytest.mark.parametrize(
    ("why", "sentence"),
    [
        ("not_found", "It was looked for in Sent, All Mail and Trash, and is in none of them."),
        ("not_read", "Switch its reading to IMAP, and the message is looked for at once."),
        ("unreadable", "Run the doctor on this account"),
    ],
)
def test_it_says_why_a_doubt_is_held_and_what_would_help(client, account, campaign, why, sentence):
    message = put_in_doubt(account, long_ago())
    Message.objects.filter(pk=message.pk).update(held_at=timezone.now(), held_why=why)
    page = page_of(client, message)
    assert sentence in page
    assert reverse("admin:campaigns_message_send_again", args=[message.pk]) in page
    assert "its recipient gets it twice" in page, "said before it is done"


@pytest.mark.parametrize("kept", [True, False])
def test_it_says_what_send_again_means_where_gmail_wrote_that_it_was_not_sent(
    client, account, campaign, kept
):
    message = put_in_doubt(account, long_ago())
    changes = {"held_at": timezone.now(), "held_why": "limit_notice", "look_again_at": None}
    Message.objects.filter(pk=message.pk).update(**changes, **({} if kept else {"raw": None}))
    page = page_of(client, message)
    assert "Gmail may not have sent this message." in page
    assert "That a copy lies in Sent proves nothing." in page
    assert "The line dropped" not in page
    assert ("The very same message goes out once more." in page) == kept
    assert ("It is written anew from the campaign" in page) == (not kept)


def test_it_arrived(client, home, account, campaign):
    message = put_in_doubt(account)
    assert "It counts as sent: you said so." in text_of(decide(client, "arrived", message))
    assert fresh(message).state == M.SENT
    page = page_of(client, message)
    assert f"“It arrived”, said {home.owner}" in page
    assert "Accepted by Gmail" not in page, "Gmail never said so"


def test_it_is_sent_again(client, home, account, campaign):
    message = put_in_doubt(account, long_ago())
    answer = text_of(decide(client, "send_again", message))
    assert "It waits for its turn to go out again." in answer
    assert "goes out once more because one of you said so" in answer
    assert f"“Send again”, said {home.owner}" in answer
    assert "line lost" in answer, "its history stays"
    assert fresh(message).state == M.WAITING


def test_it_is_tried_again(client, account, campaign):
    message = campaign.messages.order_by("id").first()
    Message.objects.filter(pk=message.pk).update(state=M.REFUSED, reply="550 5.1.1 No such user")
    assert "Nobody gets it twice" in page_of(client, message)
    answer = text_of(decide(client, "try_again", message))
    assert "It waits for its turn to be tried again." in answer
    assert "550 5.1.1 No such user" in answer
    assert fresh(message).state == M.WAITING


def test_the_second_of_two_people_is_told(client, team_mate_client, account, campaign):
    message = put_in_doubt(account, long_ago())
    decide(team_mate_client, "send_again", message)
    for name in DECISIONS:
        answer = text_of(decide(client, name, message))
        assert "Nothing was done. The message is waiting by now." in answer
    assert HistoryEntry.objects.filter(kind="sent_again").count() == 1


def test_it_is_refused_before_its_moment_however_it_is_asked(client, account, campaign):
    message = put_in_doubt(account)
    assert "Nothing was done. Not yet" in text_of(decide(client, "send_again", message))
    assert fresh(message).state == M.IN_DOUBT


def test_of_a_cancelled_campaign_nothing_is_offered_but_that_it_arrived(client, account, campaign):
    message = put_in_doubt(account, long_ago())
    Campaign.objects.filter(pk=campaign.pk).update(state="cancelled")
    page = page_of(client, message)
    assert "Its campaign was cancelled: nothing of it is sent any more." in page
    assert reverse("admin:campaigns_message_send_again", args=[message.pk]) not in page
    assert reverse("admin:campaigns_message_arrived", args=[message.pk]) in page


@pytest.mark.parametrize("name", DECISIONS)
def test_looking_decides_nothing_and_an_outsider_decides_nothing(
    client, outsider_client, account, campaign, name
):
    message = put_in_doubt(account, long_ago())
    if name == "try_again":
        Message.objects.filter(pk=message.pk).update(state=M.REFUSED)
    before = fresh(message).state
    url = reverse(f"admin:campaigns_message_{name}", args=[message.pk])
    assert client.get(url).status_code == 405
    assert outsider_client.post(url).status_code == 404
    assert fresh(message).state == before


# --- The list ---------------------------------------------------------------------------------


def post(client: Client, state: str, action: str, chosen, **more):
    data = {"action": action, "_selected_action": [one.pk for one in chosen], **more}
    return client.post(f"{LIST}?state__exact={state}", data, follow=True)


def test_a_list_offers_what_its_state_allows(client, account, campaign):
    put_in_doubt(account)
    for state, offered in [
        ("in_doubt", {"it_arrived", "send_again"}),
        ("refused", {"try_again"}),
        ("sent", set()),
        ("", set()),
    ]:
        Message.objects.exclude(state=M.IN_DOUBT).filter(campaign=campaign).update(
            state=state or M.SENT
        )
        query = {"state__exact": state} if state else {}
        answer = client.get(LIST, query)
        form = answer.context["action_form"]
        names = {name for name, _label in form.fields["action"].choices} if form else set()
        assert names - {""} == offered


def test_it_asks_before_it_sends_several_again_and_leaves_what_may_not(client, account, campaign):
    early, late = put_in_doubt(account, long_ago()), put_in_doubt(account)
    asked = text_of(post(client, "in_doubt", "send_again", [early, late]))
    assert "2 messages are chosen:" in asked
    shown = text_of(client.get(LIST, {"state__exact": "in_doubt"}))
    assert "Looked for in Sent until" in shown
    assert early.to_email in asked
    assert "its recipient gets it twice" in asked
    assert fresh(early).state == M.IN_DOUBT, "not before it was asked"
    done = text_of(post(client, "in_doubt", "send_again", [early, late], post="yes"))
    assert "1 message waits for its turn." in done
    assert "1 was left as it is. Not yet" in done
    assert (fresh(early).state, fresh(late).state) == (M.WAITING, M.IN_DOUBT)


def test_it_says_how_many_of_several_cannot_go_out_with_the_same_bytes(client, account, campaign):
    first, second = put_in_doubt(account, long_ago()), put_in_doubt(account, long_ago())
    asked = text_of(post(client, "in_doubt", "send_again", [first, second]))
    assert "The very same messages go out once more." in asked
    assert "written anew" not in asked
    Message.objects.filter(pk=first.pk).update(raw=None)
    asked = text_of(post(client, "in_doubt", "send_again", [first, second]))
    assert "1 of them is written anew from its campaign" in asked
    assert "Of the others the very same message goes out once more." in asked
    Message.objects.filter(pk=second.pk).update(raw=None)
    asked = text_of(post(client, "in_doubt", "send_again", [first, second]))
    assert "2 of them are written anew from their campaigns" in asked
    assert "very same" not in asked
    assert "its recipient gets it twice" in asked


def test_several_arrived(client, account, campaign):
    both = [put_in_doubt(account), put_in_doubt(account)]
    done = text_of(post(client, "in_doubt", "it_arrived", both, post="yes"))
    assert "2 messages count as sent." in done
    assert {fresh(one).state for one in both} == {M.SENT}


@pytest.mark.parametrize("action", ["it_arrived", "send_again"])
@pytest.mark.parametrize("across", ["0", "1"])
def test_an_outsider_decides_about_nobody_elses(outsider_client, account, campaign, action, across):
    message = put_in_doubt(account, long_ago())
    answer = post(outsider_client, "in_doubt", action, [message], post="yes", select_across=across)
    assert message.to_email not in text_of(answer)
    assert fresh(message).state == M.IN_DOUBT
