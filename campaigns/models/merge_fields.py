"""What the merge fields of a message come to (`campaigns.rendering.fields` names them)."""

from accounts.models import Workspace
from campaigns.models.contact import Contact


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
