"""What a person may do with a running campaign: pause, resume, cancel."""

from django.db import transaction
from django.utils import timezone

from campaigns import states
from campaigns.models import Campaign, Message

C = Campaign.State
M = Message.State


class NotPossible(Exception):
    """The campaign is not in a state in which this can be done."""


def pause(campaign_id: int) -> None:
    """Stop sending at once: nothing is handed over that was not handed over before.

    At most one message for each account is being handed over at this moment.
    """
    if not states.move_campaign(campaign_id, C.SENDING, C.PAUSED, state_reason=""):
        raise NotPossible


def resume(campaign_id: int) -> None:
    """Go on where the campaign stopped. What has bounced until now pauses it no more."""
    judged = {"state_reason": "", "judged_from": timezone.now()}
    if not states.move_campaign(campaign_id, C.PAUSED, C.SENDING, **judged):
        raise NotPossible


@transaction.atomic
def cancel(campaign_id: int) -> int:
    """End the campaign for good; returns how many messages will never leave.

    A message that is claimed at this moment finds out before its dot and is cancelled then.
    """
    if not (
        states.move_campaign(campaign_id, C.SENDING, C.CANCELLED)
        or states.move_campaign(campaign_id, C.PAUSED, C.CANCELLED)
    ):
        raise NotPossible
    return states.move_messages(
        Message.objects.filter(campaign_id=campaign_id), M.WAITING, M.CANCELLED, raw=None
    )
