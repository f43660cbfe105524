from accounts.models import Workspace
from campaigns.contacts.columns import merge_field
from campaigns.models import Contact
from campaigns.models.merge_fields import merge_values
from campaigns.rendering.fields import LINK_FIELDS, STANDARD_FIELDS, WORKSPACE_FIELDS

ANA = Contact(email="ana@example.org", first_name="Ana", last_name="Lee")


def test_it_fills_every_field_that_a_message_may_use() -> None:
    values = merge_values(ANA, Workspace(postal_address="1 High Street"))
    assert set(values) == {*STANDARD_FIELDS, *WORKSPACE_FIELDS}
    assert values["name"] == "Ana Lee"
    assert values["postal_address"] == "1 High Street"


def test_no_further_field_stands_in_for_one_of_them() -> None:
    ana = Contact(email="ana@example.org", fields={"email": "x", "city": "Rome"})
    values = merge_values(ana, Workspace())
    assert (values["email"], values["city"]) == ("ana@example.org", "Rome")


def test_no_column_takes_the_name_of_one_of_them() -> None:
    for name in (*STANDARD_FIELDS, *WORKSPACE_FIELDS, *LINK_FIELDS):
        assert merge_field(name) == f"field_{name}"
    # Names that no message fills are free.
    assert merge_field("web_url") == "web_url"
