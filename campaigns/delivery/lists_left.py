"""Who has left every list through which a campaign would have reached them."""

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from campaigns.models import ListMembership, Message


def left(messages: list[Message]) -> set[int]:
    """The ids of those whose recipient has left, by the rule of the last look (`handing_over`):
    some list of the campaign was left, and none is left over. Who was taken off a list by its
    owner after the launch has not left."""
    memberships = ListMembership.objects.filter(
        contact=OuterRef("contact"), contact_list__campaigns=OuterRef("campaign")
    )
    found = Message.objects.filter(
        Exists(memberships.filter(left_at__isnull=False)),
        ~Exists(memberships.filter(left_at=None)),
        pk__in=[message.pk for message in messages],
    )
    return set(found.values_list("pk", flat=True))


def words() -> str:
    """What a message says that did not leave for it."""
    return _("This person has left the list that the campaign goes to.")
