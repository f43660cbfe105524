"""What stands beside a contact's fields on its page: whether it may be written to."""

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from accounts.tenancy import visible, visible_or_404, workspace_of
from campaigns.delivery import suppression_words
from campaigns.models import Contact, Suppression


def known_of(request: HttpRequest, pk: str) -> dict[str, Any]:
    """For the templates of `campaigns/contacts/`; 404 for a contact of somebody else."""
    contact = visible_or_404(Contact.objects.all(), request, pk)
    suppressions = visible(Suppression.objects.select_related("workspace"), workspace_of(request))
    suppression = suppressions.filter(email_hash=contact.email_hash).first()
    return {
        "suppression": suppression,
        "why_suppressed": suppression_words.why(suppression, timezone.now()) if suppression else "",
    }
