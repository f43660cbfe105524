"""Forgetting a person (GDPR Article 17): everything that would say who they were, but for a hash.

Messages stay as bare rows, so that counts hold and nothing is sent twice. What is in doubt keeps
what ends the doubt, its Message-ID and its use of the limit, and loses its bytes and its recipient
at once: nobody may send it again to somebody who is forgotten.

See `docs/decisions/what-erasing-leaves.md`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from campaigns import states
from campaigns.contacts import uploads
from campaigns.contacts.disclosing import mail_of, messages_of, suppressions_of
from campaigns.contacts.sweeping import sweep
from campaigns.contacts.traces import ImportTrace, imports_with, other_files_with
from campaigns.models import (
    Contact,
    ContactImport,
    Event,
    HistoryEntry,
    InboundMail,
    Message,
    Suppression,
)

M = Message.State
Import = ContactImport.State
UNDER_WAY = (Import.WAITING, Import.RUNNING)


class NotNow(Exception):
    """Nothing was erased. Its text is a sentence with the next step."""


@dataclass(frozen=True)
class Extent:
    """What erasing a person is about, for whoever is asked first."""

    lists: list[str]
    consent_records: int
    messages: int
    waiting: int
    in_doubt: int
    mail: int
    imports: list[ImportTrace]
    is_suppressed: bool


def extent(contact: Contact) -> Extent:
    messages = messages_of(contact)
    return Extent(
        lists=list(contact.lists.order_by("name").values_list("name", flat=True)),
        consent_records=contact.consent_records.count(),
        messages=messages.count(),
        waiting=messages.filter(state=M.WAITING).count(),
        in_doubt=messages.filter(state=M.IN_DOUBT).count(),
        mail=mail_of(contact).count(),
        imports=imports_with(contact.workspace, contact.email_key),
        is_suppressed=suppressions_of(contact).exists(),
    )


def erase(contact: Contact, now: datetime, *, never_again: bool) -> None:
    """Erase the person, all or nothing. Raises NotNow.

    `never_again`: keep the hash of the address as a suppression. One that is there stays as its
    hash in any case.
    """
    workspace, key = contact.workspace, contact.email_key
    with _overwriting():
        with transaction.atomic():
            messages = _nothing_leaves(contact)
            traces = _none_is_running(imports_with(workspace, key))
            campaigns = _cancel_what_waits(messages)
            _empty_what_came_back(contact, messages)
            messages.update(contact=None, to_email="", reply="", raw=None)
            _suppress(contact, now, never_again)
            _empty_imports(traces, now)
            contact.delete()
            sweep(workspace, key)
            # Last, and before it is committed: with a row that points to nothing all is well, and
            # a file to which nothing points would stay for weeks.
            for name in (*_files_of(traces), *other_files_with(workspace, key)):
                uploads.remove(name)
        # By itself, since whoever finishes a campaign locks that before its messages.
        if campaigns:
            states.finish_done(now, *campaigns)


# --- Messages --------------------------------------------------------------------------------


def _nothing_leaves(contact: Contact) -> QuerySet[Message]:
    """The person's messages; none of them moves before this transaction ends. Raises NotNow."""
    _lock_messages(contact)
    # Whoever launches a campaign to this contact is done by then, or comes to nothing.
    if not Contact.objects.select_for_update().filter(pk=contact.pk).values_list("pk"):
        raise NotNow(_("Somebody deleted this contact a moment ago."))
    found = _lock_messages(contact)
    if {M.CLAIMED, M.HANDING_OVER} & set(found.values()):
        raise NotNow(_("A message to this person is just leaving. Try again in a minute."))
    return Message.objects.filter(pk__in=list(found))


def _lock_messages(contact: Contact) -> dict[int, str]:
    locked = messages_of(contact).select_for_update().order_by("pk")
    return dict(locked.values_list("pk", "state"))


def _cancel_what_waits(messages: QuerySet[Message]) -> list[int]:
    """Returns the campaigns of which something waited."""
    waiting = messages.filter(state=M.WAITING, campaign__isnull=False)
    campaigns = list(waiting.values_list("campaign", flat=True).distinct())
    states.move_messages(messages, M.WAITING, M.CANCELLED)
    return [pk for pk in campaigns if pk is not None]


def _empty_what_came_back(contact: Contact, messages: QuerySet[Message]) -> None:
    """Rows stay: that something came back still counts, and a mail read again is known."""
    mails = list(mail_of(contact).order_by("pk").values_list("pk", "account", "key"))
    kept: set[tuple[int, str]] = set()
    for pk, account, mail_key in mails:
        # A mail has a row for each recipient it names: of those that are one now, one stays.
        if (account, mail_key) in kept:
            InboundMail.objects.filter(pk=pk).delete()
        kept.add((account, mail_key))
    ours = InboundMail.objects.filter(pk__in=[pk for pk, _account, _key in mails])
    Event.objects.filter(Q(message__in=messages) | Q(mail__in=ours)).update(detail="")
    HistoryEntry.objects.filter(message__in=messages).update(detail="")
    ours.update(sender="", subject="", text="", recipient="", said="", again_at=None)


# --- The address -----------------------------------------------------------------------------


def _suppress(contact: Contact, now: datetime, never_again: bool) -> None:
    there = suppressions_of(contact)
    if not there.update(email_key="", note="") and never_again:
        Suppression.objects.create(
            workspace=contact.workspace,
            email_hash=contact.email_hash,
            reason=Suppression.Reason.OPTED_OUT,
        )


# --- Imports ---------------------------------------------------------------------------------


def _none_is_running(traces: list[ImportTrace]) -> list[ImportTrace]:
    """One that goes on would bring the person back. Raises NotNow."""
    for trace in traces:
        if trace.job.state in UNDER_WAY:
            raise NotNow(
                _(
                    "The import of “%(file)s” holds this address and is not over. Wait until it "
                    "is, or stop it; then erase."
                )
                % {"file": trace.job.file_name}
            )
    return traces


def _empty_imports(traces: list[ImportTrace], now: datetime) -> None:
    """One that was not started is cancelled: begun, it would bring the person back."""
    for trace in traces:
        job = ContactImport.objects.filter(pk=trace.job.pk, state=trace.job.state)
        changes: dict[str, object] = {}
        if trace.in_file:
            changes["stored_as"] = ""
        if trace.in_rejected:
            changes["problems_as"] = ""
        if trace.job.state == Import.UPLOADED:
            changes |= {"state": Import.CANCELLED, "finished_at": now}
        emptied = [
            one | {"value": ""} if one in trace.problems else one for one in trace.job.problems
        ]
        if not job.update(problems=emptied, **changes):
            raise NotNow(
                _("The import of “%(file)s” has just gone on. Look at it, then erase.")
                % {"file": trace.job.file_name}
            )


def _files_of(traces: list[ImportTrace]) -> list[str]:
    return [
        name
        for trace in traces
        for name, holds in (
            (trace.job.stored_as, trace.in_file),
            (trace.job.problems_as, trace.in_rejected),
        )
        if holds
    ]


# --- What is left on the disk ----------------------------------------------------------------


@contextmanager
def _overwriting() -> Iterator[None]:
    """SQLite overwrites what is deleted meanwhile, and empties its log of changes afterwards.

    https://sqlite.org/pragma.html#pragma_secure_delete. Where somebody reads at this moment the
    log is emptied later.
    """
    if connection.vendor != "sqlite":
        yield
        return
    _pragma("secure_delete = ON")
    try:
        yield
    finally:
        _pragma("secure_delete = OFF")
    if not connection.in_atomic_block:
        _pragma("wal_checkpoint(TRUNCATE)")


def _pragma(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {statement}")
        cursor.fetchall()
