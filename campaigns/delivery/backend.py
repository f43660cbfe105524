"""Django's e-mail backend: Daypost's own mail leaves through the workspace's Gmail account.

It is written down as a message like any other, so that it counts, waits where it must, and is
never sent twice.
"""

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.db import transaction
from django.utils import timezone

from accounts.models import GmailAccount, LedgerRow, Membership, Workspace
from accounts.tenancy import visible
from campaigns.models import Message

logger = logging.getLogger(__name__)


class NoAccount(Exception):
    """No Gmail account is connected that could carry Daypost's own mail."""


class GmailBackend(BaseEmailBackend):
    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each mail down for the sender; returns how many.

        Raises NoAccount, unless `fail_silently`, when nothing is connected to send through.
        """
        written = 0
        for mail in email_messages:
            for address in mail.recipients():
                try:
                    self._write(mail, address)
                    written += 1
                except NoAccount:
                    logger.error("Mail of Daypost itself was not sent: connect a Gmail account.")
                    if not self.fail_silently:
                        raise
        return written

    @transaction.atomic
    def _write(self, mail: EmailMessage, address: str) -> Message:
        account = _account_for(address)
        now = timezone.now()
        message_id = f"<{uuid.uuid4().hex}@{account.address.rpartition('@')[2]}>"
        return Message.objects.create(
            workspace=account.workspace,
            source=LedgerRow.Source.SYSTEM,
            account=account,
            to_email=address,
            message_id=message_id,
            raw=_bytes(mail, account, message_id),
            not_before=now,
            created_at=now,
        )


def _account_for(address: str) -> GmailAccount:
    """The account of the workspace that the addressee joined first, and of no other.

    A link that sets a password lies in the account that it left through: the owners of another
    workspace must not read it there. The instance's first workspace writes to whom none knows.
    """
    joined = Membership.objects.filter(user__email__iexact=address).order_by("id").first()
    home = joined.workspace if joined else Workspace.objects.order_by("id").first()
    ready = GmailAccount.objects.filter(state=GmailAccount.State.READY).order_by("id")
    account = visible(ready, home).first() if home else None
    if account is None:
        raise NoAccount
    return account


def _bytes(mail: EmailMessage, account: GmailAccount, message_id: str) -> bytes:
    mail.from_email = account.address
    headers: dict[str, Any] = mail.extra_headers
    mail.extra_headers = {**headers, "Message-ID": message_id}
    return mail.message().as_bytes()
