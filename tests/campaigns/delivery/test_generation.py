"""The number beside the database, on the way of a message."""

from pathlib import Path
from typing import Any

import pytest

from accounts import generation
from accounts.models import Generation, GmailAccount
from campaigns.delivery.sender import send_due
from campaigns.models import Campaign, Message
from tests.practice_gmail import PracticeGmail

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data_dir(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_it_stands_beside_the_database_before_gmail_answers(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign, data_dir: Path
) -> None:
    gmail.control(faults=[{"where": "accepted", "drop": True}])
    send_due(account.pk)
    assert Message.objects.filter(state=Message.State.IN_DOUBT).count() == 1
    assert int((data_dir / "generation").read_text()) == 1


def test_it_sends_nothing_from_an_older_copy(
    gmail: PracticeGmail, account: GmailAccount, campaign: Campaign
) -> None:
    before = len(gmail.ledger())
    assert send_due(account.pk).sent == 3
    Generation.objects.update(number=1)
    Message.objects.update(state=Message.State.WAITING, ledger_row=None)
    Campaign.objects.update(state=Campaign.State.SENDING)
    assert send_due(account.pk).sent == 0
    assert len(gmail.ledger()) == before + 3


def test_it_gives_no_dot_where_the_data_folder_cannot_be_written_to(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    before = len(gmail.ledger())
    monkeypatch.setattr(generation, "remember", full)
    assert send_due(account.pk).put_back == 1
    assert len(gmail.ledger()) == before
    assert campaign.messages.filter(state=Message.State.WAITING).count() == 3
    account.refresh_from_db()
    assert "No space left on device" in account.resting_reason
