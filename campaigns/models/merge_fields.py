"""The merge fields that every message may use, whatever was imported, and what they come to."""

from accounts.models import Workspace
from campaigns.models.contact import Contact

STANDARD_FIELDS = ("email", "first_name", "last_name", "name")
"""Those of every contact."""

WORKSPACE_FIELDS = ("postal_address",)
"""Those that come from the workspace rather than from the contact."""


def merge_values(contact: Contact, workspace: Workspace) -> dict[str, object]:
    """What a message to `contact` may use, by merge-field name; its further fields included."""
    return {
        **contact.fields,
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "name": contact.full_name,
        "postal_address": workspace.postal_address,
    }
