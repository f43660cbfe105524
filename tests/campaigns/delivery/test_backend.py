from email import message_from_bytes
from email.policy import default

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection, send_mail

from accounts.models import Membership, User
from campaigns.delivery.backend import NoAccount
from campaigns.models import Message
from tests.campaigns.making import make_account, make_workspace

pytestmark = pytest.mark.django_db
BACKEND = "campaigns.delivery.backend.GmailBackend"


def test_it_writes_a_mail_down_for_the_account_that_will_send_it() -> None:
    account = make_account(make_workspace())
    mail = EmailMultiAlternatives("Grüße", "Hello\n.\nthere", "webmaster@localhost", ["a@b.org"])
    mail.attach_alternative("<p>Hello</p>", "text/html")
    assert get_connection(BACKEND).send_messages([mail]) == 1
    message = Message.objects.get()
    assert (message.state, message.account, message.campaign) == ("waiting", account, None)
    assert (message.source, message.to_email) == ("system", "a@b.org")
    written = message_from_bytes(bytes(message.raw or b""), policy=default)
    assert written["From"] == account.address
    assert written["Subject"] == "Grüße"
    assert written["Message-ID"] == message.message_id
    assert written.get_body(("html",)) is not None


def test_it_chooses_the_workspace_of_the_addressee() -> None:
    make_account(make_workspace())
    theirs = make_account(make_workspace())
    user = User.objects.create_user("Ben@example.org")
    Membership.objects.create(user=user, workspace=theirs.workspace)
    send_mail("Reset", "Here", None, ["ben@EXAMPLE.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == theirs


def test_it_chooses_the_workspace_that_the_addressee_joined_first() -> None:
    """Not the oldest: its owner could add anybody, and read the link that resets a password."""
    older = make_account(make_workspace())
    home = make_account(make_workspace())
    user = User.objects.create_user("ben@example.org")
    Membership.objects.create(user=user, workspace=home.workspace)
    Membership.objects.create(user=user, workspace=older.workspace)
    send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == home


def test_it_writes_through_nobody_elses_account() -> None:
    make_account(make_workspace())
    resting = make_account(make_workspace(), state="disconnected")
    later = make_account(make_workspace())
    user = User.objects.create_user("ben@example.org")
    for account in (resting, later):
        Membership.objects.create(user=user, workspace=account.workspace)
    with pytest.raises(NoAccount):
        send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert not Message.objects.exists()


def test_it_writes_to_whom_no_workspace_knows_through_the_first() -> None:
    first = make_account(make_workspace())
    make_account(make_workspace())
    send_mail("Reset", "Here", None, ["ben@example.org"], connection=get_connection(BACKEND))
    assert Message.objects.get().account == first


def test_it_says_loudly_when_nothing_is_connected() -> None:
    make_account(make_workspace(), state="needs_reconnecting")
    with pytest.raises(NoAccount):
        send_mail("Reset", "Here", None, ["a@b.org"], connection=get_connection(BACKEND))
    quiet = get_connection(BACKEND, fail_silently=True)
    assert send_mail("Reset", "Here", None, ["a@b.org"], connection=quiet) == 0
    assert not Message.objects.exists()
