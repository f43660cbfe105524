"""What stands beside a contact's fields on its page: may it be written to, by what right,
and what was."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import capfirst

from accounts.tenancy import visible, visible_or_404, workspace_of
from campaigns.delivery import suppression_words
from campaigns.models import Contact, Suppression
from campaigns.reports import wording
from campaigns.reports.mail_with import mail_with


@dataclass(frozen=True)
class Agreement:
    """One line of the story of a contact's consent."""

    what: str
    at: str
    source: str
    wording: str
    by: str


def known_of(request: HttpRequest, pk: str) -> dict[str, Any]:
    """For the templates of `campaigns/contacts/`; 404 for a contact of somebody else."""
    contact = visible_or_404(Contact.objects.select_related("workspace"), request, pk)
    suppressions = visible(Suppression.objects.select_related("workspace"), workspace_of(request))
    suppression = suppressions.filter(email_hash=contact.email_hash).first()
    return {
        "suppression": suppression,
        "why_suppressed": suppression_words.why(suppression, timezone.now()) if suppression else "",
        "consent_story": _consent_story(contact),
        "mail_with": mail_with(contact, timezone.now()),
    }


def _consent_story(contact: Contact) -> list[Agreement]:
    now, zone = timezone.now(), ZoneInfo(contact.workspace.time_zone)
    return [
        Agreement(
            str(capfirst(record.get_kind_display())),
            wording.moment(record.at, now, zone),
            record.source,
            record.wording,
            str(record.by or ""),
        )
        for record in contact.consent_records.select_related("by")
    ]
