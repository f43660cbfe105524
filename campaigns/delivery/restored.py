"""After an older copy of the database was restored: what left since is found in Sent.

What waits in the copy may have left already, and Gmail has filed it, also if its campaign has been
cancelled since; what was refused in it may have been tried again since. Every message that is found
is sent, and counts from the moment at which Gmail took it; then the account goes on by itself. A
mailbox that cannot be read stays halted until a person lets it go (`accounts.release_page`).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
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

    A message that is bound to no account yet may have left through any of its campaign's.
    """
    unbound = Message.objects.filter(campaign=OuterRef("campaign"), account=None, state=M.WAITING)
    shared = CampaignAccount.objects.filter(Exists(unbound), account=account).values("campaign")
    not_clear = _halted().filter(is_clear=False)
    others = CampaignAccount.objects.filter(
        campaign__in=shared, account__in=not_clear.values("account")
    ).exclude(account=account)
    return sorted(set(others.values_list("account__address", flat=True)))


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
    open_ = ours.filter(message_id__in=found, state__in=NOT_SENT).order_by("pk")
    messages = list(open_.select_related("ledger_row"))
    settled = [one for one in messages if _had_left(one, account, found[one.message_id], now)]
    campaigns = {one.campaign_id for one in settled if one.campaign_id is not None}
    if campaigns:
        states.finish_done(now, *campaigns)
    return len(settled)


@transaction.atomic
def _had_left(message: Message, account: GmailAccount, at: datetime, now: datetime) -> bool:
    """Gmail took it at `at`, through `account`."""
    if message.state == M.IN_DOUBT:
        return doubt.found(message, now)
    rows = Message.objects.filter(pk=message.pk)
    changes = {"account": account, "handed_over_at": at, "sent_at": at, "reply": "", "raw": None}
    moved = states.move_messages(rows, message.state, M.SENT, **changes)
    if moved:
        use = ledger.accepted(account, message.source, message.campaign_id, at)
        rows.update(ledger_row=use)
        history.note(message.pk, Kind.FOUND, now)
    return moved == 1
