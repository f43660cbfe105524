"""Who a campaign is written to: the people of its lists, less those who must not be written to."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.models import Contact, ContactList, ListMembership, Suppression
from campaigns.rendering.fields import STANDARD_FIELDS


def members(workspace: Workspace, lists: Iterable[ContactList]) -> QuerySet[Contact]:
    """Everybody on any of the lists who has not left it, once."""
    on_a_list = ListMembership.objects.filter(
        contact=OuterRef("pk"), contact_list__in=list(lists), left_at=None
    )
    return visible(Contact.objects.filter(Exists(on_a_list)), workspace)


def suppressed(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Those of `contacts` who must not be written to."""
    return contacts.filter(Exists(_suppressions()))


def reachable(contacts: QuerySet[Contact]) -> QuerySet[Contact]:
    """Those of `contacts` who may be written to: the recipients."""
    return contacts.filter(~Exists(_suppressions()))


def without_value(contacts: QuerySet[Contact], field: str) -> QuerySet[Contact]:
    """Those of `contacts` for whom the merge field `field` would come out empty."""
    if field == "name":
        return contacts.filter(first_name="", last_name="")
    if field in STANDARD_FIELDS:
        return contacts.filter(**{field: ""})
    # Coalesce also makes it plain text: a value taken from JSON is compared as JSON on SQLite.
    value = Coalesce(KeyTextTransform(field, "fields"), Value(""), output_field=TextField())
    return contacts.annotate(merge_value=value).filter(merge_value="")


def _suppressions() -> QuerySet[Suppression]:
    return Suppression.objects.filter(
        workspace=OuterRef("workspace"), email_hash=OuterRef("email_hash")
    )
