import traceback

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.vault import VaultError, open_sealed, reseal, seal

SECRET = "-".join(["refresh", "token", "of", "ana"])


@given(secret=st.text(), bound_to=st.text())
def test_it_opens_what_it_sealed(secret: str, bound_to: str) -> None:
    assert open_sealed(seal(secret, bound_to), bound_to) == secret


def test_it_shows_nothing_of_the_secret_and_never_the_same_twice() -> None:
    first, second = seal(SECRET, "a:1"), seal(SECRET, "a:1")
    assert SECRET not in first
    assert first != second


def test_it_opens_nothing_for_another_row() -> None:
    sealed = seal(SECRET, "gmail_account:1:secret")
    with pytest.raises(VaultError) as caught:
        open_sealed(sealed, "gmail_account:2:secret")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_it_notices_that_a_sealed_secret_was_changed() -> None:
    sealed = seal(SECRET, "a:1")
    for spoilt in (sealed[:-4], sealed[:40] + "A" + sealed[41:], "", "no token"):
        with pytest.raises(VaultError):
            open_sealed(spoilt, "a:1")


def test_it_opens_nothing_without_the_key(settings: Settings) -> None:
    sealed = seal(SECRET, "a:1")
    settings.VAULT_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(VaultError):
        open_sealed(sealed, "a:1")


def test_it_says_that_a_key_is_no_key_without_telling_it(settings: Settings) -> None:
    settings.VAULT_KEYS = ["-".join(["not", "a", "key"])]
    with pytest.raises(VaultError) as caught:
        seal(SECRET, "a:1")
    shown = "".join(traceback.format_exception(caught.value))
    assert "VAULT_KEYS" in shown
    assert settings.VAULT_KEYS[0] not in shown


def test_it_moves_a_secret_to_the_newest_key(settings: Settings) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    settings.VAULT_KEYS = [old]
    sealed = seal(SECRET, "a:1")
    settings.VAULT_KEYS = [new, old]
    moved = reseal(sealed, "a:1")
    with pytest.raises(VaultError):
        reseal(sealed, "a:2")
    settings.VAULT_KEYS = [new]
    assert open_sealed(moved, "a:1") == SECRET
    with pytest.raises(VaultError):
        open_sealed(sealed, "a:1")
