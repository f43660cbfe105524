"""The doctor's mail to oneself: sent by the one exit, then found again in the mailbox.

What Gmail made of it is settled for the account: whether it keeps our Message-ID, and whether it
keeps the address that recipients see.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import explain, halts, ledger, quota, standing
from accounts.doctor import remedies
from accounts.doctor.check import LABELS, Check, Name, is_needed
from accounts.models import GmailAccount, LedgerRow
from accounts.vault import VaultError
from campaigns import states
from campaigns.delivery import doubt, own_copy
from campaigns.delivery.copies import Copy
from campaigns.delivery.message_id import new_message_id
from campaigns.delivery.sender import send_due
from campaigns.models import Message
from campaigns.rendering import mime
from campaigns.rendering.mime import Address
from gmail.errors import GmailError

M = Message.State

# Gmail files the copy in Sent 10 to 60 seconds after it accepted the message.
PATIENCE = timedelta(seconds=90)
# Another worker that has the account sends single mails first, as soon as it is between two.
LEAVES_WITHIN = timedelta(seconds=30)
POLL_SECONDS = 0.5

# What the mail needs before it is worth sending: the way out, and the way to read.
_NEEDS = (Name.SMTP_SSL, Name.SMTP_STARTTLS, Name.IMAP, Name.POP, Name.SENT_FOLDER)


def self_test(
    account_id: int,
    asked_at: datetime,
    found: Collection[Check],
    keep_going: Callable[[], bool] = lambda: True,
) -> Check | None:
    """Send one mail to the account itself and look for it.

    However often it is called for what was asked at `asked_at`, it sends one mail. `found`: the
    checks made before. Not to be called inside a transaction: it waits for the network, up to two
    minutes. None when `keep_going` said no before anything was known.
    """
    account = GmailAccount.objects.select_related("workspace").get(pk=account_id)
    why_not = _why_not(account, found, timezone.now())
    if why_not is not None:
        return why_not
    message = _write(account, asked_at, timezone.now())
    # Its bytes are gone as soon as it has left.
    written_by = own_copy.written_by(bytes(message.raw)) if message.raw else ""
    _send(message, keep_going)
    if not keep_going():
        return None
    if message.state not in (M.SENT, M.IN_DOUBT):
        return _not_sent(account, message)
    if account.inbound == GmailAccount.Inbound.NONE:
        why = _("This mailbox is not read, so that is all.")
        return _not_seen(account, message, why, ok=message.state == M.SENT)
    return _look_for_copy(account, message, written_by, keep_going)


def _why_not(account: GmailAccount, found: Collection[Check], now: datetime) -> Check | None:
    """None when a mail may be sent now."""
    first = next((check for check in found if check.name in _NEEDS and check.is_red), None)
    if account.state != GmailAccount.State.READY and first is None:
        # Whoever cannot send at all needs to know it, also where no test mail is wanted.
        detail = _("Nothing is sent through this account: it needs reconnecting.")
        remedy = account.state_reason or explain.connect_again()
        return Check(Name.SELF_TEST, False, True, detail, remedy, connect_again=True)
    if not account.self_test:
        return _check(account, True, _("Not sent: it is switched off for this account."))
    if first is not None:
        detail = _("Waits for “%(name)s”.") % {"name": LABELS[Name(first.name)]}
        again = first.connect_again
        return Check(Name.SELF_TEST, False, True, detail, first.remedy, first.name, again)
    if not _may_leave(account, now):
        return Check(
            Name.SELF_TEST,
            ok=False,
            needed=False,
            detail=_("Not sent: nothing may leave now, see “%(name)s”.")
            % {"name": LABELS[Name.LIMIT]},
            remedy=_("Run the doctor again when it goes on."),
        )
    return None


def _may_leave(account: GmailAccount, now: datetime) -> bool:
    """Whether a single mail may, by the rule of `claim_next`."""
    if standing.is_resting(account, now) or halts.of(account) is not None:
        return False
    return quota.used(ledger.totals(account, now), now) < ledger.limits(account).for_singles(now)


def _check(account: GmailAccount, ok: bool, detail: str, remedy: str = "") -> Check:
    return Check(Name.SELF_TEST, ok, is_needed(Name.SELF_TEST, account), detail, remedy)


# --- The way out -----------------------------------------------------------------------------


@transaction.atomic
def _write(account: GmailAccount, asked_at: datetime, now: datetime) -> Message:
    """The mail that was written for this asking or is under way for another, or else a new one."""
    GmailAccount.objects.select_for_update().get(pk=account.pk)
    key = f"self-test:{account.pk}:{asked_at.isoformat()}"
    tests = Message.objects.filter(account=account, source=LedgerRow.Source.TEST)
    same = Q(idempotency_key=key) | Q(state__in=states.UNDER_WAY)
    known = tests.filter(same).order_by("-id").first()
    if known is not None:
        return known
    sender = account.from_address or account.address
    message_id = new_message_id(sender)
    return Message.objects.create(
        workspace=account.workspace,
        source=LedgerRow.Source.TEST,
        idempotency_key=key,
        account=account,
        to_email=account.address,
        message_id=message_id,
        raw=_letter(account, sender, message_id, now),
        not_before=now,
        created_at=now,
    )


def _letter(account: GmailAccount, sender: str, message_id: str, now: datetime) -> bytes:
    text = _(
        "Daypost wrote this mail to itself, to see that sending works and that it finds again "
        "what it sent. It may be deleted."
    )
    return mime.build(
        sender=Address(account.display_name, sender),
        to=Address("", account.address),
        subject=_("Daypost tries out this account"),
        html=f"<p>{text}</p>",
        text=text,
        message_id=message_id,
        date=now,
        headers={"Auto-Submitted": "auto-generated"},
    )


def _send(message: Message, keep_going: Callable[[], bool]) -> None:
    """Send it here, or wait while another worker does that has the account.

    `message` is then as it is in the database.
    """
    if message.account_id is None:
        raise RuntimeError(f"Message {message.pk} is bound to no account.")
    ends = time.monotonic() + LEAVES_WITHIN.total_seconds()
    while _is_on_its_way(message) and keep_going() and time.monotonic() < ends:
        # Nothing, at once, when somebody else has the account.
        send_due(message.account_id, keep_going=lambda: _is_waiting(message))
        if _is_on_its_way(message):
            time.sleep(POLL_SECONDS)
    if keep_going():
        # It must not leave when nobody looks for it any more.
        rows = Message.objects.filter(pk=message.pk)
        states.move_messages(rows, M.WAITING, M.CANCELLED, raw=None)
    message.refresh_from_db()


def _is_on_its_way(message: Message) -> bool:
    """Not one that Gmail has put off: it waits again, with Gmail's words."""
    message.refresh_from_db()
    put_off = message.state == M.WAITING and bool(message.reply)
    return message.state in states.UNDER_WAY and not put_off


def _is_waiting(message: Message) -> bool:
    return _is_on_its_way(message) and message.state == M.WAITING


def _not_sent(account: GmailAccount, message: Message) -> Check:
    if message.state in (M.CLAIMED, M.HANDING_OVER):
        detail = _("It has not left yet, and still may: another worker has it.")
    elif message.reply:
        detail = _("It did not leave: “%(said)s”") % {"said": message.reply}
    else:
        detail = _("It did not leave: the account is busy with other mail.")
    return _check(account, False, detail, _("Wait a few minutes, then run the doctor again."))


# --- The way back ----------------------------------------------------------------------------


def _look_for_copy(
    account: GmailAccount, message: Message, written_by: str, keep_going: Callable[[], bool]
) -> Check | None:
    ends = time.monotonic() + PATIENCE.total_seconds()
    try:
        copy = own_copy.find(
            account, message.message_id, lambda: keep_going() and time.monotonic() < ends
        )
    except (GmailError, VaultError) as error:
        why = _("The mailbox could not be read: %(why)s") % {"why": error}
        return _not_seen(account, message, why)
    if copy is not None:
        doubt.found(message, timezone.now())
        return _settle(account, copy, written_by or copy.written_by)
    if not keep_going():
        return None
    seconds = {"seconds": round(PATIENCE.total_seconds())}
    why = _("Its copy did not appear within %(seconds)s seconds.") % seconds
    return _not_seen(account, message, why)


def _not_seen(account: GmailAccount, message: Message, why: str, ok: bool = False) -> Check:
    if message.state == M.SENT:
        fate = _("Gmail took it.")
    else:
        fate = _("The line broke before Gmail's answer: nobody knows whether it took the mail.")
    remedy = "" if ok else _("Look for it in Gmail, then run the doctor again.")
    return _check(account, ok, f"{fate} {why}", remedy)


def _settle(account: GmailAccount, copy: Copy, written_by: str) -> Check:
    """Write down what the copy shows, and say it.

    Of any other alias than the one that the mail was `written_by`, it shows nothing.
    """
    mine = GmailAccount.objects.filter(pk=account.pk)
    mine.update(keeps_message_id=copy.keeps_message_id)
    alias = account.from_address
    keeps_from = None
    if alias and mime.in_ascii(alias).lower() == written_by.lower():
        keeps_from = copy.sender.lower() == written_by.lower()
        # It may have been changed while the mail was on its way.
        mine.filter(from_address=alias).update(keeps_from=keeps_from)
    if keeps_from is False:
        return _check(
            account,
            False,
            _("Sent and found again, but Gmail put %(own)s in place of %(alias)s.")
            % {"own": copy.sender, "alias": alias},
            remedies.verify_alias(account),
        )
    if not copy.keeps_message_id:
        return _check(account, True, _("Sent and found again, but Gmail replaces our Message-ID."))
    return _check(account, True, _("Sent and found again by its Message-ID."))
