from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns.launch import launch
from campaigns.models import Campaign, CampaignAccount, Message, Template
from tests.campaigns.making import make_account, make_campaign, make_list

LIST = reverse("admin:campaigns_campaign_changelist")


@pytest.fixture
def client(owner_client: Client) -> Client:
    return owner_client


def text_of(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_it_shows_how_far_each_has_come_and_when_it_finishes(client, home):
    campaign = make_campaign(home.workspace, [make_account(home.workspace)], 1200, name="Autumn")
    some = list(campaign.messages.values_list("pk", flat=True)[:30])
    Message.objects.filter(pk__in=some).update(state="sent", sent_at=timezone.now())
    page = text_of(client.get(LIST))
    assert "30 of 1,200" in page
    assert 'value="30" max="1200"' in page
    [shown] = [one for one in client.get(LIST).context["cl"].result_list if one == campaign]
    assert shown.line.finishes.partition(" ")[0] not in ("", "today")


def test_what_was_cancelled_did_not_leave(client, home):
    campaign = make_campaign(home.workspace, [], 40, name="Test run", state="cancelled")
    campaign.messages.update(state="cancelled")
    assert "0 of 40" in text_of(client.get(LIST))


def test_its_filters_are_links_and_keep_the_search(client, home):
    Campaign.objects.create(workspace=home.workspace, name="Autumn draft")
    answer = client.get(LIST, {"state__exact": "draft", "q": "autumn"})
    assert [one.name for one in answer.context["cl"].result_list] == ["Autumn draft"]
    page = text_of(answer)
    assert '<a href="?state__exact=draft&amp;q=autumn" aria-current="true">Draft</a>' in page or (
        '<a href="?q=autumn&amp;state__exact=draft" aria-current="true">Draft</a>' in page
    )
    assert '<a href="?q=autumn">All</a>' in page
    answer = client.get(LIST, {"state__exact": "finished"})
    assert "Nothing matches" in text_of(answer)


def test_an_empty_list_says_what_a_campaign_is(client, home):
    Message.objects.all().delete()
    Campaign.objects.all().delete()
    page = text_of(client.get(LIST))
    assert "No campaigns yet" in page
    assert reverse("admin:campaigns_campaign_add") in page


def test_only_a_draft_can_be_deleted_and_only_after_asking(client, home):
    launched = home.of(Campaign)
    draft = Campaign.objects.create(workspace=home.workspace, name="Draft")

    def delete(campaign):
        return reverse("admin:campaigns_campaign_delete", args=[campaign.pk])

    answer = client.post(delete(launched), {"post": "yes"}, follow=True)
    assert "Nothing was deleted: this campaign was launched already." in text_of(answer)
    assert client.get(delete(launched)).status_code == 403
    assert client.get(delete(draft)).status_code == 200
    assert Campaign.objects.filter(pk=draft.pk).exists()
    client.post(delete(draft), {"post": "yes"})
    assert list(Campaign.objects.filter(workspace=home.workspace)) == [launched]


def test_many_campaigns_cost_no_more_queries_than_one(client, home, django_assert_max_num_queries):
    with django_assert_max_num_queries(16):
        client.get(LIST)
    account = make_account(home.workspace)
    for _ in range(10):
        make_campaign(home.workspace, [account], 3)
    with django_assert_max_num_queries(16):
        assert len(client.get(LIST).context["cl"].result_list) == 11


def test_an_outsider_sees_only_their_own(outsider_client, home, elsewhere):
    page = text_of(outsider_client.get(LIST))
    assert elsewhere.word in page
    assert home.word not in page


def test_there_is_no_way_to_delete_many_at_once(client, home):
    launched = home.of(Campaign)
    client.post(
        LIST, {"action": "delete_selected", "_selected_action": [launched.pk], "post": "yes"}
    )
    assert Campaign.objects.filter(pk=launched.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_being_launched_is_not_deleted(client, home):
    campaign = Campaign.objects.create(
        workspace=home.workspace, name="News", template=home.of(Template)
    )
    campaign.lists.add(make_list(home.workspace, 2))
    CampaignAccount.objects.create(campaign=campaign, account=make_account(home.workspace))
    url = reverse("admin:campaigns_campaign_delete", args=[campaign.pk])

    def delete():
        with closing(connection):
            return client.post(url, {"post": "yes"})

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            launch(campaign.pk, timezone.now())
            answer = pool.submit(delete)
            with pytest.raises(TimeoutError):  # it waits for the launch
                answer.result(timeout=1)
        assert answer.result(timeout=30).status_code == 302
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENDING
    assert campaign.messages.count() == 2
