"""Django's e-mail backend: Daypost's own mail leaves through the workspace's Gmail account.

It is written down as a message like any other, so that it counts, waits where it must, and is
never sent twice. What it says, which may be a link that sets a password, is in no log.
"""

import copy
import hashlib
import logging
from collections.abc import Sequence
from datetime import datetime
from email.utils import formataddr, parseaddr

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.db import transaction
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import ledger, quota, standing
from accounts.models import GmailAccount, LedgerRow, Membership, Workspace
from accounts.own_mail import ONE_AT_A_TIME
from accounts.tenancy import visible
from campaigns.delivery.message_id import domain_of, new_message_id
from campaigns.models import Message
from campaigns.states import UNDER_WAY

logger = logging.getLogger(__name__)

# Header lines that are ours to write, whatever the mail brings along.
_OURS = {"from", "sender", "bcc", "return-path", "message-id", ONE_AT_A_TIME.lower()}


class NoAccount(Exception):
    """No Gmail account is connected that could carry Daypost's own mail."""


class GmailBackend(BaseEmailBackend):
    @sensitive_variables()
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each mail down for the sender, once for each who gets it; returns how many mails.

        Raises NoAccount, unless `fail_silently`, when nothing is connected to send through.
        """
        written = 0
        for mail in email_messages:
            addresses = _addresses(mail)
            try:
                for address in addresses:
                    _write(mail, address, timezone.now())
            except NoAccount:
                logger.error("Mail of Daypost itself was not sent: connect a Gmail account.")
                if not self.fail_silently:
                    raise
            else:
                written += bool(addresses)
        return written


@sensitive_variables()
@transaction.atomic
def _write(mail: EmailMessage, address: str, now: datetime) -> None:
    account = _account_for(address, now)
    standing.wake(GmailAccount.objects.filter(pk=account.pk))
    key = _key(mail, address)
    if key is not None and _is_told_already(mail, account, key, now):
        return
    message_id = new_message_id(account.address)
    Message.objects.create(
        workspace=account.workspace,
        source=LedgerRow.Source.SYSTEM,
        idempotency_key=key,
        account=account,
        to_email=address,
        message_id=message_id,
        raw=_bytes(mail, account, message_id),
        not_before=now,
        created_at=now,
    )


@sensitive_variables()
def _is_told_already(mail: EmailMessage, account: GmailAccount, key: str, now: datetime) -> bool:
    """Whether an earlier mail about the same is on its way; if it waits, it says the newer now.

    The key is free again for the next one when what bore it has come to its end.
    """
    # One at a time: two that look at once would both find nothing.
    Workspace.objects.select_for_update(no_key=True).get(pk=account.workspace_id)
    same = Message.objects.filter(workspace=account.workspace_id, idempotency_key=key)
    earlier = same.select_for_update(of=("self",)).first()
    if earlier is None:
        return False
    if earlier.state == Message.State.WAITING:
        raw = _bytes(mail, account, earlier.message_id)
        # Somebody waits for it: one that was put off for hours is tried again now.
        same.update(account=account, raw=raw, not_before=min(earlier.not_before, now))
    elif earlier.state not in UNDER_WAY:
        same.update(idempotency_key=None)
        return False
    return True


# --- Through which account --------------------------------------------------------------------


def _account_for(address: str, now: datetime) -> GmailAccount:
    """An account of the workspace that the addressee joined first, and of no other.

    A link that sets a password lies in the account that it left through: the owners of another
    workspace must not read it there. The instance's first workspace writes to whom none knows.

    One that may send now goes before one that rests, and Gmail before the practice Gmail. Raises
    NoAccount.
    """
    joined = Membership.objects.filter(user__email__iexact=address).order_by("id").first()
    home = joined.workspace if joined else Workspace.objects.order_by("id").first()
    if home is None:
        raise NoAccount
    ready = GmailAccount.objects.filter(state=GmailAccount.State.READY)
    accounts = visible(ready.select_related("workspace"), home).order_by("id")
    account = min(accounts, key=lambda one: (one.practice, _waits_until(one, now)), default=None)
    if account is None:
        raise NoAccount
    return account


def _waits_until(account: GmailAccount, now: datetime) -> datetime:
    """The first moment at which the account may send one more."""
    uses = ledger.window(account, now)
    limits = ledger.limits(account)
    free_at = limits.free_at(uses, now, limits.kept_by_hand)
    return max(now, account.resting_until or now, free_at or now + quota.WINDOW)


# --- The bytes --------------------------------------------------------------------------------


def _addresses(mail: EmailMessage) -> list[str]:
    """Whom it goes to, each once, without names."""
    found = (parseaddr(each)[1] for each in mail.recipients())
    return list({address.casefold(): address for address in found if address}.values())


def _key(mail: EmailMessage, address: str) -> str | None:
    about = mail.extra_headers.get(ONE_AT_A_TIME)
    if about is None:
        return None
    digest = hashlib.sha256(f"{about}\n{address.casefold()}".encode()).hexdigest()
    return f"own-mail:{digest}"


@sensitive_variables()
def _bytes(mail: EmailMessage, account: GmailAccount, message_id: str) -> bytes:
    """The mail as it was written, from this account; what the caller holds stays as it is."""
    ours = copy.copy(mail)
    sender = f"{account.address.rpartition('@')[0]}@{domain_of(account.address)}"
    ours.from_email = formataddr((account.display_name, sender))
    brought = {name: it for name, it in mail.extra_headers.items() if name.lower() not in _OURS}
    # RFC 3834 5: so that no absence note answers it.
    ours.extra_headers = {"Auto-Submitted": "auto-generated", **brought, "Message-ID": message_id}
    return ours.message().as_bytes()
