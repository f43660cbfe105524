import pytest

from campaigns import control
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_account, make_campaign, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    workspace = make_workspace()
    return make_campaign(workspace, [make_account(workspace)])


def state(campaign: Campaign) -> str:
    return Campaign.objects.get(pk=campaign.pk).state


def test_it_pauses_and_goes_on(campaign: Campaign) -> None:
    control.pause(campaign.pk)
    assert state(campaign) == "paused"
    control.resume(campaign.pk)
    assert state(campaign) == "sending"


def test_it_cancels_what_waits_and_keeps_what_is_sent(campaign: Campaign) -> None:
    first = campaign.messages.order_by("id").first()
    assert first is not None
    Message.objects.filter(pk=first.pk).update(state="sent")
    assert control.cancel(campaign.pk) == 2
    assert state(campaign) == "cancelled"
    states = campaign.messages.order_by("id").values_list("state", flat=True)
    assert list(states) == ["sent", "cancelled", "cancelled"]


def test_it_cancels_a_paused_campaign_too(campaign: Campaign) -> None:
    control.pause(campaign.pk)
    assert control.cancel(campaign.pk) == 3


def test_it_says_when_nothing_can_be_done(campaign: Campaign) -> None:
    with pytest.raises(control.NotPossible):
        control.resume(campaign.pk)
    control.cancel(campaign.pk)
    for action in (control.pause, control.resume, control.cancel):
        with pytest.raises(control.NotPossible):
            action(campaign.pk)
