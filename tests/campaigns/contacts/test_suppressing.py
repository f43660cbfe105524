import pytest

from campaigns.contacts.suppressing import read_addresses, suppress
from campaigns.models import Suppression
from tests.campaigns.making import make_workspace


def test_it_reads_lines_commas_and_semicolons_each_address_once():
    text = "Ana@Example.org\n\nRhys <rhys@example.org>, ana@example.org; megan@example.org\r\n"
    assert read_addresses(text) == (
        ["ana@example.org", "rhys@example.org", "megan@example.org"],
        [],
    )


def test_it_says_what_is_no_address():
    assert read_addresses("ana@\nrhys@example.org\nnobody") == (
        ["rhys@example.org"],
        ["ana@", "nobody"],
    )


@pytest.mark.django_db
def test_it_adds_only_who_is_not_there_yet_and_only_here():
    here, elsewhere = make_workspace(), make_workspace()
    suppress(elsewhere, ["ana@example.org"])
    assert suppress(here, ["ana@example.org", "rhys@example.org"], "asked by phone") == 2
    assert suppress(here, ["rhys@example.org", "megan@example.org"]) == 1
    rows = Suppression.objects.filter(workspace=here)
    assert set(rows.values_list("email_key", "reason", "note")) == {
        ("ana@example.org", "by_hand", "asked by phone"),
        ("rhys@example.org", "by_hand", "asked by phone"),
        ("megan@example.org", "by_hand", ""),
    }
