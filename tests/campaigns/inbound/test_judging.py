"""A campaign of which too much comes back pauses."""

import pytest
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow
from campaigns import control
from campaigns.inbound.judging import IN_A_ROW
from campaigns.models import Campaign, Message
from tests.campaigns.inbound.hearing import kinds
from tests.campaigns.inbound.test_bounces import BLOCK, FULL, GONE, POLICY, came, report, sent
from tests.campaigns.making import make_account, make_workspace


@pytest.fixture
def account(db: None) -> GmailAccount:
    return make_account(make_workspace())


@pytest.mark.parametrize("said", [GONE, FULL, POLICY])
def test_more_than_five_in_a_hundred_pause_the_campaign(
    account: GmailAccount, said: tuple[str, str]
) -> None:
    messages = sent(account, recipients=60)
    for message in messages[:2]:
        came(account, report(message, said))
    campaign = messages[0].campaign
    assert campaign is not None
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.SENDING
    came(account, report(messages[30], said))
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert "3 of 50 messages" in campaign.state_reason


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ((GONE, FULL, GONE), Campaign.State.PAUSED),
        ((GONE, GONE, POLICY), Campaign.State.SENDING),
        ((POLICY, POLICY, GONE), Campaign.State.SENDING),
        ((BLOCK, BLOCK, BLOCK), Campaign.State.PAUSED),
    ],
)
def test_bounces_count_together_and_refusals_by_themselves(
    account: GmailAccount, said: tuple[tuple[str, str], ...], state: str
) -> None:
    for message, why in zip(sent(account, recipients=60), said, strict=False):
        came(account, report(message, why))
    assert Campaign.objects.get().state == state


def test_what_lies_further_apart_does_not(account: GmailAccount) -> None:
    messages = sent(account, recipients=60)
    for n in (0, 1, IN_A_ROW):
        came(account, report(messages[n]))
    assert Campaign.objects.get().state == Campaign.State.SENDING


def test_reports_that_come_out_of_order_are_counted_where_they_belong(
    account: GmailAccount,
) -> None:
    messages = sent(account, recipients=60)
    for n in (59, 2, 1, 0):
        came(account, report(messages[n]))
    assert Campaign.objects.get().state == Campaign.State.PAUSED


def test_after_its_person_has_gone_on_only_what_leaves_then_is_judged(
    account: GmailAccount,
) -> None:
    messages = sent(account, recipients=60)
    for message in messages[:3]:
        came(account, report(message))
    control.resume(messages[0].campaign_id)
    for message in messages[3:6]:
        came(account, report(message))
    assert Campaign.objects.get().state == Campaign.State.SENDING
    Message.objects.filter(pk__gte=messages[10].pk).update(handed_over_at=timezone.now())
    for message in messages[10:13]:
        came(account, report(message))
    assert Campaign.objects.get().state == Campaign.State.PAUSED


def test_a_single_mail_that_bounces_pauses_nothing(account: GmailAccount) -> None:
    [message] = sent(account)
    Message.objects.update(campaign=None, contact=None, source=LedgerRow.Source.SYSTEM)
    message.refresh_from_db()
    came(account, report(message))
    assert kinds(message) == ["bounced"]
