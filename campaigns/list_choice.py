"""Which of a workspace's lists somebody wants to be on, as chosen on the preferences page."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import ConsentRecord, ListMembership, Message
from campaigns.opting_out import wait_for_handing_over


def memberships_of(message: Message) -> list[ListMembership]:
    """The lists that the recipient is on or has left, by name; none without the contact."""
    found = ListMembership.objects.filter(contact=message.contact_id or 0)
    return list(found.select_related("contact_list").order_by("contact_list__name"))


@transaction.atomic
def choose(message: Message, wanted: Collection[int], now: datetime) -> bool:
    """Leave the recipient's lists that are not among `wanted` (ids of lists), and be on the others
    again; False where that was so already. In force from the next handing over on."""
    contact = message.contact
    if contact is None:
        return False
    wait_for_handing_over([contact], message)
    records = []
    for membership in memberships_of(message):
        wants = membership.contact_list_id in wanted
        if wants == (membership.left_at is None):
            continue
        membership.left_at = None if wants else now
        membership.save(update_fields=["left_at"])
        words = _("Chose the list “%(name)s” again on a preferences page.")
        if not wants:
            words = _("Left the list “%(name)s” on a preferences page.")
        records.append(
            ConsentRecord(
                contact=contact,
                kind=ConsentRecord.Kind.GIVEN if wants else ConsentRecord.Kind.WITHDRAWN,
                source=(words % {"name": membership.contact_list.name})[:300],
                at=now,
            )
        )
    ConsentRecord.objects.bulk_create(records)
    return bool(records)
