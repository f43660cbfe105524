"""Writing down that a contact agreed to be written to: the proof is only ever added to.

Imports write theirs by the thousand (`campaigns.contacts.storing`), the public pages through
`campaigns.opting_out`.
"""

from datetime import datetime

from django.utils.translation import gettext as _

from accounts.models import User
from campaigns.models import ConsentRecord, Contact


def note_by_hand(contact: Contact, by: User | None, now: datetime) -> None:
    """Somebody of the workspace has written down where the contact's consent comes from."""
    ConsentRecord.objects.create(
        contact=contact,
        kind=ConsentRecord.Kind.GIVEN,
        source=_("written down by hand"),
        wording=contact.consent,
        at=now,
        by=by,
    )
