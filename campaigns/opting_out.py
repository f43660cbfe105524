"""A recipient wants no more mail, or takes that back: by a page, by one click, or by mail.

It holds for the address, in the workspace that wrote the message, from the next handing over on.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import Enum
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from campaigns.models import ConsentRecord, Contact, Event, InboundMail, Message, Suppression
from campaigns.models.address_hash import address_hash

Reason = Suppression.Reason


class How(Enum):
    """The way in which the recipient said so."""

    PAGE = "page"
    ONE_CLICK = "one click"
    PREFERENCES = "preferences"
    MAIL = "mail"


@transaction.atomic
def opt_out(message: Message, now: datetime, how: How, mail: InboundMail | None = None) -> bool:
    """See that whoever got `message` is not written to again; False when that was so already.

    `mail` is the one that asked for it. Asking again, also at the same moment, changes nothing.
    Works without the contact: by the address that the message went to.
    """
    message = _read_anew(message)
    wait_for_handing_over(list(_contacts(message, _keys(message))), message)
    # Once more, now that nobody else may: the contact may have been deleted meanwhile. Messages are
    # locked before contacts, as by whoever deletes one.
    message = _read_anew(message)
    keys = _keys(message)
    if not keys:
        return False
    contacts = list(_contacts(message, keys).select_for_update().order_by("pk"))
    words = _words(message, now, how)
    # In one order, so that two who ask at once do not wait for each other.
    is_new = [_suppress(message, key, words) for key in sorted(keys)]
    if not any(is_new) and has_opted_out_by(message):
        return False
    Event.objects.create(
        message=message, kind=Event.Kind.OPTED_OUT, detail=words, at=now, mail=mail
    )
    _record(contacts, ConsentRecord.Kind.WITHDRAWN, words, now)
    return True


@transaction.atomic
def take_back(message: Message, now: datetime) -> bool:
    """End what the recipient asked for by way of this message, and nothing that has another reason;
    False without it. So an old mail that was passed on does not undo what was asked for since.
    """
    if not has_opted_out_by(message):
        return False
    keys = _keys(message)
    removed, _rows = _suppressions(message, keys).filter(reason=Reason.OPTED_OUT).delete()
    if not removed:
        return False
    words = _("Asked on a page to be written to again.")
    Event.objects.create(message=message, kind=Event.Kind.OPTED_IN, detail=words, at=now)
    _record(_contacts(message, keys), ConsentRecord.Kind.GIVEN, words, now)
    return True


def why_not_written_to(message: Message) -> str | None:
    """The reason (of `Suppression.Reason`) why whoever got the message is not written to any more,
    an opt-out before anything else; None when there is none."""
    reasons = set(_suppressions(message, _keys(message)).values_list("reason", flat=True))
    return Reason.OPTED_OUT if Reason.OPTED_OUT in reasons else next(iter(reasons), None)


def wait_for_handing_over(contacts: Iterable[Contact], message: Message) -> None:
    """Let no message to them be handed over between the last look and what is written here.

    PostgreSQL judges the last look by what was committed when it began: until its transaction
    ends, so does whoever has locked the same messages. What still waits is locked as well, so
    that it is claimed only afterwards. (On SQLite whoever writes is alone.) `message` is locked
    too: two who ask at once come one after the other.
    """
    to_come = Q(
        contact__in=list(contacts), state__in=[Message.State.WAITING, Message.State.CLAIMED]
    )
    locked = Message.objects.select_for_update(of=("self",)).filter(Q(pk=message.pk) | to_come)
    list(locked.order_by("pk").values_list("pk"))


def _read_anew(message: Message) -> Message:
    return Message.objects.defer("raw").get(pk=message.pk)


def _keys(message: Message) -> set[str]:
    """Where the message went to, and where the same person is written to now."""
    keys = {message.to_email.lower()}
    if message.contact is not None:
        keys.add(message.contact.email_key)
    # What was erased has no address, and is suppressed since then.
    return keys - {""}


def _contacts(message: Message, keys: set[str]) -> QuerySet[Contact]:
    """Also whoever was deleted meanwhile and came back with a new import."""
    return Contact.objects.filter(workspace=message.workspace_id, email_key__in=keys)


def _suppressions(message: Message, keys: set[str]) -> QuerySet[Suppression]:
    hashes = [address_hash(key) for key in keys]
    return Suppression.objects.filter(workspace=message.workspace_id, email_hash__in=hashes)


def _suppress(message: Message, key: str, words: str) -> bool:
    """Whether it is new. One with another reason keeps that, and says this as well."""
    found, created = Suppression.objects.select_for_update().get_or_create(
        workspace_id=message.workspace_id,
        email_hash=address_hash(key),
        defaults={"email_key": key, "reason": Reason.OPTED_OUT, "note": words},
    )
    if found.reason != Reason.OPTED_OUT and not has_opted_out_by(message):
        found.note = f"{found.note}\n{words}".strip()
        found.save(update_fields=["note"])
    return created


def has_opted_out_by(message: Message) -> bool:
    """Whether the last that was heard by way of this message is that its recipient opted out."""
    said = Event.objects.filter(
        message=message, kind__in=[Event.Kind.OPTED_OUT, Event.Kind.OPTED_IN]
    )
    return said.order_by("-id").values_list("kind", flat=True).first() == Event.Kind.OPTED_OUT


def _record(
    contacts: Iterable[Contact], kind: ConsentRecord.Kind, words: str, now: datetime
) -> None:
    ConsentRecord.objects.bulk_create(
        ConsentRecord(contact=contact, kind=kind, source=words[:300], at=now)
        for contact in contacts
    )


def _words(message: Message, now: datetime, how: How) -> str:
    """What the workspace's people read of it: on which day, in their zone, and how."""
    day = date_format(timezone.localtime(now, ZoneInfo(message.workspace.time_zone)), "j F Y")
    campaign = message.campaign.name if message.campaign else message.to_email
    named = {"day": day, "campaign": campaign}
    match how:
        case How.ONE_CLICK:
            return (
                _("Opted out of “%(campaign)s” by the mail program's own button on %(day)s.")
                % named
            )
        case How.PREFERENCES:
            return _("Opted out of “%(campaign)s” on its preferences page on %(day)s.") % named
        case How.MAIL:
            return _("Opted out of “%(campaign)s” by mail on %(day)s.") % named
        case How.PAGE:
            return _("Opted out of “%(campaign)s” on its unsubscribe page on %(day)s.") % named
