"""The sender when the line breaks exactly where it matters, and what it lets out."""

from typing import Any

import pytest

from accounts.models import GmailAccount
from campaigns.delivery.sender import Tally, send_due
from campaigns.models import Campaign, Message
from gmail.errors import ConnectionLost
from gmail.replies import Phase
from gmail.smtp import SmtpSession
from tests.campaigns.delivery.test_sender import accepted, ledger_states, rested, states
from tests.practice_gmail import PracticeGmail

M = Message.State


@pytest.mark.parametrize("step", ["body", "finish"])
def test_it_waits_again_when_the_line_is_lost_before_the_dot(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def lose(self: SmtpSession, *_: Any) -> None:
        self.abandon()
        raise ConnectionLost(Phase.BODY)

    with monkeypatch.context() as patch:
        patch.setattr(SmtpSession, step, lose)
        assert send_due(account.pk) == Tally(put_back=1)
    assert states(campaign) == [M.WAITING] * 3
    assert ledger_states(account) == ["void"]
    assert accepted(gmail, campaign) == []
    rested(account)
    assert send_due(account.pk) == Tally(sent=3)


def test_it_sends_no_address_that_a_contact_may_not_bring(
    gmail: PracticeGmail,
    account: GmailAccount,
    campaign: Campaign,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from campaigns.models import Contact

    composed = []
    original = SmtpSession.body

    def keep(self: SmtpSession, data: bytes) -> None:
        composed.append(data)
        original(self, data)

    monkeypatch.setattr(SmtpSession, "body", keep)
    campaign.revisions.update(html='<p><a href="{{ page }}">Here</a></p>')
    Contact.objects.update(fields={"page": "javascript:alert(1)"})
    assert send_due(account.pk) == Tally(sent=3)
    assert b"javascript:" not in b"".join(composed)
    assert b'href="#"' in composed[0] or b'href=3D"#"' in composed[0]
