"""The checks of an instance that strangers can reach."""

from typing import Any

import pytest

from accounts.checks import public_url_can_be_served, public_url_is_encrypted


def found(settings: Any, **changes: object) -> list[str | None]:
    for name, value in changes.items():
        setattr(settings, name, value)
    problems = [*public_url_can_be_served(None), *public_url_is_encrypted(None)]
    return [problem.id for problem in problems]


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({"PUBLIC_URL": ""}, []),
        ({"PUBLIC_URL": "", "DEBUG": True}, []),
        ({"PUBLIC_URL": "https://mail.example.org"}, []),
        ({"PUBLIC_URL": "https://mail.example.org", "DEBUG": True}, ["accounts.E003"]),
        ({"PUBLIC_URL": "https://mail.example.org", "ALLOWED_HOSTS": ["x"]}, ["accounts.E004"]),
        ({"PUBLIC_URL": "https://mail.example.org", "ALLOWED_HOSTS": [".example.org"]}, []),
        ({"PUBLIC_URL": "https://mail.example.org", "ALLOWED_HOSTS": ["*"]}, ["accounts.E006"]),
        ({"PUBLIC_URL": "", "ALLOWED_HOSTS": ["*"]}, []),
        ({"PUBLIC_URL": "mail.example.org"}, ["accounts.E005", "accounts.W001"]),
        ({"PUBLIC_URL": "ftp://mail.example.org"}, ["accounts.E005", "accounts.W001"]),
        ({"PUBLIC_URL": "http://mail.example.org"}, ["accounts.W001"]),
    ],
)
def test_it_warns_of_a_public_address_that_is_not_ready(
    changes: dict[str, object], ids: list[str], settings: Any
) -> None:
    local = {"DEBUG": False, "ALLOWED_HOSTS": ["localhost", "mail.example.org"]}
    assert found(settings, **(local | changes)) == ids
