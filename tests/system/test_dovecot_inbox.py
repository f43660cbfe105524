"""A large mailbox on Dovecot: what is ours is found, nothing else is touched, memory stays flat."""

import tracemalloc
from typing import Any

import pytest
from django.utils import timezone

from accounts import connect
from accounts.models import GmailAccount
from campaigns.inbound import fetch
from campaigns.models import Event, InboundMail, Message
from tests.campaigns.making import make_campaign, make_workspace
from tests.gmail_settings import point_at
from tests.system.large_mailbox import ALL_MAIL, answer, client, fill
from tests.system.mail_servers import MailServers

MAILS = 3_000
OURS = 30
# As a line of the server's, as text and as a number.
OCTETS_FOR_A_UID = 200


@pytest.fixture
def account(servers: MailServers, settings: Any, transactional_db: None) -> GmailAccount:
    point_at(servers.gmail, settings)
    settings.GMAIL = settings.GMAIL | {"imap_port": servers.endpoints.imap_port}
    return connect.connect_by_app_password(make_workspace(), servers.address, servers.app_password)


def messages_of(account: GmailAccount) -> list[Message]:
    campaign = make_campaign(account.workspace, [account], recipients=OURS)
    left = {"state": Message.State.SENT, "account": account, "handed_over_at": timezone.now()}
    campaign.messages.update(**left)
    return list(campaign.messages.all())


def state_of(servers: MailServers) -> dict[int, Any]:
    with client(servers.endpoints, servers.address, servers.app_password) as one:
        one.select_folder(ALL_MAIL, readonly=True)
        fetched = one.fetch(one.search(), ["FLAGS", "RFC822.SIZE", "INTERNALDATE"])
    return {uid: (one[b"FLAGS"], one[b"RFC822.SIZE"]) for uid, one in fetched.items()}


def test_it_finds_what_is_ours_in_a_large_mailbox_and_changes_nothing_there(
    servers: MailServers, account: GmailAccount
) -> None:
    messages = messages_of(account)
    answers = [answer(one.to_email, one.message_id) for one in messages]
    with client(servers.endpoints, servers.address, servers.app_password) as one:
        fill(one, MAILS - OURS, answers)
    before = state_of(servers)
    assert not any(b"\\Seen" in flags for flags, _ in before.values())

    heard = fetch.read(account.pk, timezone.now())
    assert heard is not None
    assert heard.replies == OURS
    assert heard.messages >= MAILS
    assert Event.objects.count() == InboundMail.objects.count() == OURS
    # Whatever reading marks, it would mark by now.
    assert {uid: flags for uid, (flags, _) in state_of(servers).items()} == {
        uid: flags for uid, (flags, _) in before.items()
    }

    # Later readings cost only what is new.
    with client(servers.endpoints, servers.address, servers.app_password) as one:
        fill(one, 3, [answer("late@example.org", messages[0].message_id)], first=MAILS)
    later = fetch.read(account.pk, timezone.now())
    assert later is not None
    assert (later.messages, later.replies) == (4, 1)
    nothing = fetch.read(account.pk, timezone.now())
    assert nothing is not None
    assert nothing.messages == 0


def test_of_a_larger_mailbox_it_holds_no_more_in_memory_than_numbers(
    servers: MailServers, account: GmailAccount
) -> None:
    messages_of(account)
    fetch.read(account.pk, timezone.now())
    few, many = 1_000, 4_000
    peaks = []
    for first, mails in ((10_000, few), (20_000, many)):
        with client(servers.endpoints, servers.address, servers.app_password) as one:
            fill(one, mails, (), first=first)
        tracemalloc.start()
        heard = fetch.read(account.pk, timezone.now())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert heard is not None
        assert heard.messages == mails
    assert peaks[1] - peaks[0] < (many - few) * OCTETS_FOR_A_UID


def test_it_reads_no_more_of_a_mail_of_30_megabytes_than_it_needs(
    servers: MailServers, account: GmailAccount
) -> None:
    message = messages_of(account)[0]
    fetch.read(account.pk, timezone.now())
    raw = answer(message.to_email, message.message_id) + b"x" * 76 + b"\r\n"
    raw += (b"A" * 74 + b"\r\n") * 400_000
    with client(servers.endpoints, servers.address, servers.app_password) as one:
        one.append(ALL_MAIL, raw)
    tracemalloc.start()
    heard = fetch.read(account.pk, timezone.now())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert heard is not None
    assert heard.replies == 1
    assert peak < 10 * fetch.ENOUGH
