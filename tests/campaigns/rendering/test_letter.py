import pytest

from campaigns.rendering.letter import Letter, rendered
from campaigns.rendering.merge import MergeError

ANA = {"name": "Ana & Co", "site": "javascript:alert(1)"}


def test_it_renders_the_three_parts_each_in_its_own_way():
    letter = rendered("For {{ name }}", "<p>{{ name }}</p>", "Dear {{ name }}", ANA)
    assert letter == Letter("For Ana & Co", "<p>Ana &amp; Co</p>", "Dear Ana & Co")


def test_no_field_makes_a_link_that_a_message_must_not_have():
    letter = rendered("", '<a href="{{ site }}">Site</a>', "", ANA)
    assert letter.html == '<a href="#">Site</a>'


@pytest.mark.parametrize("broken", range(3))
def test_it_renders_all_or_nothing(broken):
    parts = ["Good"] * 3
    parts[broken] = "{% if name > 3 %}x{% endif %}"
    with pytest.raises(MergeError):
        rendered(*parts, ANA)
