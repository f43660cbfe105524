import re
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from campaigns import states
from campaigns.models import Message
from tests.campaigns.making import make_account, make_campaign, make_workspace

M = Message.State


@pytest.mark.django_db
def test_it_moves_only_what_is_where_it_was_thought_to_be() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, [make_account(workspace)], recipients=3)
    rows = campaign.messages.all()
    assert states.move_messages(rows, M.WAITING, M.CANCELLED) == 3
    assert states.move_messages(rows, M.WAITING, M.CANCELLED) == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "target"),
    [
        (M.SENT, M.REFUSED),
        (M.SENT, M.CLAIMED),
        (M.WAITING, M.HANDING_OVER),
        (M.HANDING_OVER, M.CANCELLED),
        (M.HANDING_OVER, M.SKIPPED),
        (M.CANCELLED, M.WAITING),
        (M.SKIPPED, M.WAITING),
        (M.IN_DOUBT, M.REFUSED),
        (M.CLAIMED, M.SENT),
        (M.SENT, M.SENT),
    ],
)
def test_it_refuses_a_move_that_the_table_does_not_have(source: str, target: str) -> None:
    with pytest.raises(states.IllegalMove):
        states.move_messages(Message.objects.all(), source, target)


@pytest.mark.django_db
def test_it_finishes_a_campaign_once_nothing_moves_on_by_itself() -> None:
    workspace = make_workspace()
    campaign = make_campaign(workspace, [make_account(workspace)], recipients=2)
    for state in (M.WAITING, M.CLAIMED, M.HANDING_OVER):
        campaign.messages.update(state=state)
        assert not states.finish_done(timezone.now())
    campaign.messages.update(state=M.IN_DOUBT)
    assert states.finish_done(timezone.now())
    assert not states.finish_done(timezone.now())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("state", "after", "may_wait"),
    [
        ("finished", "sending", True),
        ("sending", "sending", True),
        ("paused", "paused", True),
        ("cancelled", "cancelled", False),
    ],
)
def test_it_reopens_a_campaign_of_which_a_message_waits_again(
    state: str, after: str, may_wait: bool
) -> None:
    workspace = make_workspace()
    account = make_account(workspace)
    campaign = make_campaign(workspace, [account], state=state, finished_at=timezone.now())
    assert states.reopen(campaign.pk) is may_wait
    campaign.refresh_from_db()
    assert campaign.state == after
    assert (campaign.finished_at is None) is (state == "finished")


def test_every_move_is_in_the_picture_of_them() -> None:
    picture = (Path(settings.BASE_DIR) / "docs/images/states.svg").read_text()
    drawn = {
        tuple(move.split())
        for moves in re.findall(r'data-moves="([^"]+)"', picture)
        for move in moves.split(",")
    }
    assert drawn >= states.MESSAGE_MOVES
    assert {state for move in drawn for state in move} == set(M.values)
