"""Which of our messages a mail is about."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import GmailAccount
from accounts.standing import CLOCKS_APART
from campaigns.models import Message

# A report that names no Message-ID is about the newest message to its recipient: Gmail tries for
# three days to deliver it.
REPORTED_WITHIN = timedelta(days=5)


def known_ids(account: GmailAccount, message_ids: Collection[str]) -> set[str]:
    """Those that are of messages of the account's workspace."""
    return set(_here(account, message_ids).values_list("message_id", flat=True))


def by_message_ids(account: GmailAccount, message_ids: Collection[str]) -> Message | None:
    """The message that the nearest of these names; also one that left through another account.

    An answer goes to where Reply-To says, which may be another mailbox of the same workspace.
    """
    found = {message.message_id: message for message in _here(account, message_ids).defer("raw")}
    return next((found[each] for each in message_ids if each in found), None)


def by_recipient(account: GmailAccount, recipient: str, at: datetime) -> Message | None:
    """The newest message that left for `recipient` through this account before `at`."""
    left = Message.objects.filter(
        account=account,
        to_email__iexact=recipient,
        handed_over_at__lte=at + CLOCKS_APART,
        handed_over_at__gt=at - REPORTED_WITHIN,
    )
    return left.defer("raw").order_by("-handed_over_at").first()


def by_sender(account: GmailAccount, sender: str) -> Message | None:
    """The newest message that left for `sender` through this account, however long ago."""
    left = Message.objects.filter(
        account=account, to_email__iexact=sender, handed_over_at__isnull=False
    )
    return left.defer("raw").order_by("-handed_over_at").first()


def by_number(account: GmailAccount, number: int | None) -> Message | None:
    """The message that a token names."""
    if number is None:
        return None
    here = Message.objects.filter(workspace=account.workspace_id, pk=number)
    return here.defer("raw").first()


def _here(account: GmailAccount, message_ids: Collection[str]) -> QuerySet[Message]:
    return Message.objects.filter(workspace=account.workspace_id, message_id__in=list(message_ids))
