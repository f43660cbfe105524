"""A Message-ID that Gmail keeps, whatever the sender's domain."""

import pytest

from campaigns.delivery.message_id import new_message_id
from campaigns.rendering.mime import is_valid_message_id


@pytest.mark.parametrize(
    ("sender", "domain"),
    [
        ("ana@gmail.com", "gmail.com"),
        ("ana@müller.example", "xn--mller-kva.example"),
        ('"a@b"@shop.example', "shop.example"),
    ],
)
def test_it_is_new_and_of_the_senders_domain(sender: str, domain: str) -> None:
    first, second = new_message_id(sender), new_message_id(sender)
    assert first != second
    assert first.endswith(f"@{domain}>")
    assert is_valid_message_id(first)
