"""Mail that is read again does not bring back whoever was erased since."""

import pytest
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.contacts import erasing
from campaigns.inbound.apply import Heard
from campaigns.models import Event, InboundMail, Suppression
from tests.campaigns.inbound.hearing import letter
from tests.campaigns.inbound.test_bounces import came, report, sent
from tests.campaigns.making import make_account, make_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> GmailAccount:
    return make_account(make_workspace())


def test_a_report_and_an_answer_that_are_read_again_say_nothing(account: GmailAccount) -> None:
    (message,) = sent(account)
    address = message.to_email
    bounce = report(message)
    answer = letter(address, account.address, In_Reply_To=message.message_id).as_bytes()
    assert (came(account, bounce).bounces, came(account, answer).replies) == (1, 1)
    before = InboundMail.objects.count(), Event.objects.count()
    assert message.contact
    erasing.erase(message.contact, timezone.now(), never_again=False)

    assert came(account, bounce) == came(account, answer) == Heard()
    assert (InboundMail.objects.count(), Event.objects.count()) == before
    mails = InboundMail.objects.values_list("sender", "recipient", "subject", "text", "said")
    assert set(mails) == {("", "", "", "", "")}
    assert set(Event.objects.values_list("detail", flat=True)) == {""}
    # It was there before it was erased.
    assert not Suppression.objects.exclude(email_key="").exists()
