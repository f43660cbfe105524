"""After an older copy of the database was restored: what left since is found in Sent.

What waits in the copy may have left already, and Gmail has filed it, also if its campaign has been
cancelled since; what was refused in it may have been tried again since. Every message that is found
is sent, and counts from the moment at which Gmail took it; then the account goes on by itself. A
mailbox that cannot be read stays halted until a person lets it go (`accounts.release_page`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import generation, halts, ledger, sessions
from accounts.leases import is_free
from accounts.models import GmailAccount, Halt
from accounts.standing import CLOCKS_APART
from accounts.tenancy import visible
from accounts.vault import VaultError
from campaigns import states
from campaigns.delivery import doubt, history, recovery
from campaigns.delivery.history import Kind
from campaigns.models import CampaignAccount, Message
from gmail import filed
from gmail.errors import FolderMissing, GmailError
from gmail.imap import ImapSession

M = Message.State

# A copy can lie in Sent a while after Gmail took the message.
PATIENCE = timedelta(minutes=15)
# Between two looks at a mailbox that could not be read, and the longest that one takes.
LOOK_AGAIN = timedelta(minutes=5)
# A search knows days only, each server's in a zone of its own.
DAYS_BEFORE = timedelta(days=2)

# What waits by itself, or because a person said so since the copy: "Send again", "Try again"; and
# what waited until its campaign was cancelled.
NOT_SENT = (M.WAITING, M.IN_DOUBT, M.REFUSED, M.CANCELLED)


def due(now: datetime) -> list[int]:
    """Accounts whose Sent is to be read now."""
    # Begun by a clock that was ahead and has come right: it is waited from now on.
    _halted().filter(began_at__gt=now).update(began_at=now)
    halted = _halted().filter(is_clear=False, began_at__lte=now - PATIENCE)
    nobody_at_it = is_free("looked_at", now - LOOK_AGAIN, LOOK_AGAIN)
    readable = halted.filter(nobody_at_it, account__inbound=GmailAccount.Inbound.IMAP)
    connected = readable.exclude(account__state=GmailAccount.State.DISCONNECTED)
    return list(connected.order_by("account_id").values_list("account_id", flat=True))


def look(account_id: int, now: datetime) -> None:
    """Read the account's Sent and settle what is found there.

    Harmless when another worker does so too. Not to be called inside a transaction: it waits for
    the network.
    """
    account = GmailAccount.objects.select_related("workspace").get(pk=account_id)
    halt = halts.of_cause(account, halts.Cause.RESTORED)
    if halt is None or not _same(halt).update(looked_at=now):
        return
    # What was under way in the copy waits again, or is in doubt.
    recovery.recover(now)
    try:
        count = _settle_all(account, halt, now)
    except (GmailError, VaultError) as error:
        found = _("Sent could not be read: %(why)s It is tried again in a few minutes.")
        Halt.objects.filter(pk=halt.pk).update(found=found % {"why": error})
        return
    found = ngettext(
        "Sent shows that %(count)d message had left.",
        "Sent shows that %(count)d messages had left.",
        count,
    ) % {"count": count}
    _halted().filter(pk=halt.pk).update(
        is_clear=not _is_under_way(account), found=found if count else ""
    )
    let_go(now)


def let_go(now: datetime) -> None:
    """End the halt of every account in whose way nothing is any more."""
    for halt in _halted().filter(is_clear=True).select_related("account"):
        others = _in_the_way(halt.account)
        if not others:
            halts.end([halt.account], halts.Cause.RESTORED, now)
            continue
        waits = _("What waits may have left through %(others)s instead: that is looked into first.")
        Halt.objects.filter(pk=halt.pk).update(found=waits % {"others": ", ".join(others)})


def _halted() -> QuerySet[Halt]:
    return Halt.objects.filter(cause=halts.Cause.RESTORED, ended_at=None)


def _same(halt: Halt) -> QuerySet[Halt]:
    """The halt, unless another worker has begun to look since."""
    return _halted().filter(pk=halt.pk, looked_at=halt.looked_at)


def _is_under_way(account: GmailAccount) -> bool:
    return Message.objects.filter(account=account, state__in=(M.CLAIMED, M.HANDING_OVER)).exists()


def _in_the_way(account: GmailAccount) -> list[str]:
    """Addresses of accounts that are not clear, and may have sent what this one would send.

    A message that was never handed over may have left through any account of its campaign: where
    it was bound in the copy, it need not have stayed. A single mail, through any at all.
    """
    waiting = Message.objects.filter(state=M.WAITING)
    open_ = waiting.filter(Q(account=None) | Q(account=account, handed_over_at=None))
    shared = CampaignAccount.objects.filter(
        Exists(open_.filter(campaign=OuterRef("campaign"))), account=account
    )
    may_have = Q(campaigns__in=shared.values("campaign"))
    if waiting.filter(campaign=None, account=account).exists():
        may_have |= Q(workspace=account.workspace_id)
    not_clear = _halted().filter(is_clear=False).values("account")
    others = GmailAccount.objects.filter(may_have, pk__in=not_clear).exclude(pk=account.pk)
    return sorted(set(others.values_list("address", flat=True)))


# --- What Sent shows -------------------------------------------------------------------------


def _settle_all(account: GmailAccount, halt: Halt, now: datetime) -> int:
    """Returns how many messages had left. Raises what `sessions` and reading raise."""
    copied_at = generation.copied_at() or halt.began_at
    # Gmail's moments are its own clock's, which ours may be ahead of with a person's consent.
    ahead = account.ahead_of_server
    count = 0
    session = sessions.open_imap(account, now)
    try:
        for found in _copies(session, copied_at - max(ahead, timedelta())):
            at = {message_id: received + ahead for message_id, received in found.items()}
            count += _settle(account, at, now)
    finally:
        session.close()
    return count


def _copies(session: ImapSession, copied_at: datetime) -> Iterator[dict[str, datetime]]:
    """Message-ID -> when Gmail took it, of all that it filed since the copy was made."""
    folders = session.folders()
    if folders.sent is None:
        raise FolderMissing(r"\Sent")
    # What a person has deleted from Sent since has left all the same.
    for folder in filter(None, (folders.sent, folders.trash)):
        session.examine(folder)
        uids = session.uids_after(0, since=(copied_at - DAYS_BEFORE).date())
        for _read_to, mails in filed.in_batches(session, uids):
            # What was filed before, the copy knows of: what waits in it all the same has to leave.
            since = [mail for mail in mails if mail.received >= copied_at - CLOCKS_APART]
            yield {each: mail.received for mail in since for each in mail.header.message_ids}


def _settle(account: GmailAccount, found: dict[str, datetime], now: datetime) -> int:
    ours = visible(Message.objects.all(), account.workspace)
    # In the order of ids, so that two workers who settle the same never wait for one another.
    # After a limit notice no copy in Sent proves anything.
    open_ = ours.filter(message_id__in=found, state__in=NOT_SENT, noticed_at=None).order_by("pk")
    messages = list(open_.values_list("pk", "message_id", "campaign_id"))
    settled = [one for one in messages if _had_left(one[0], account, found[one[1]], now)]
    campaigns = {campaign_id for _, _, campaign_id in settled if campaign_id is not None}
    if campaigns:
        states.finish_done(now, *campaigns)
    return len(settled)


@transaction.atomic
def _had_left(message_id: int, account: GmailAccount, at: datetime, now: datetime) -> bool:
    """Gmail took it at `at`, through `account`."""
    rows = Message.objects.filter(pk=message_id)
    # As it is now: meanwhile a person may have cancelled its campaign, or asked for another try.
    message = rows.filter(state__in=NOT_SENT).select_for_update().first()
    if message is None:
        return False
    if message.state == M.IN_DOUBT:
        if _is_of_another_try(message, at):
            ledger.add_accepted(account, message.source, message.campaign_id, at)
        return doubt.found(message, now)
    use = ledger.add_accepted(account, message.source, message.campaign_id, at)
    changes = {"account": account, "handed_over_at": at, "sent_at": at, "reply": "", "raw": None}
    states.move_messages(rows, message.state, M.SENT, ledger_row=use, **changes)
    history.note(message.pk, Kind.FOUND, now)
    return True


def _is_of_another_try(message: Message, at: datetime) -> bool:
    """Whether a person had it sent again since the copy, which knows the first try's use only."""
    known = message.ledger_row
    return known is not None and known.at is not None and at > known.at + CLOCKS_APART
