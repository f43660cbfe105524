"""Tokens in mail that was sent long ago still say what they said."""

from typing import Any

import pytest

from campaigns import tokens
from campaigns.models.address_hash import address_hash
from campaigns.tokens import Purpose

# As a mail of the first release has them, with the key "k".
WRITTEN_DOWN = {
    Purpose.OPT_OUT_BY_MAIL: "f6oxkinl2prlycgmoyo4xtult4",
    Purpose.LEAVE: "o4mblpcyxi65r7t77kr5bi56w4",
    Purpose.VIEW: "ztl72wbkm7r57mfl7cuweftm44",
    Purpose.OPEN: "dhusekdpmt6tn2sgytudyx2qmu",
    Purpose.CLICK: "6f3m364twxqvzwqbygddfojzcm",
}
ANA = "102ffdfba6752efa0a58b58c644d48c73775ea1398547cfcb24b702bbece9ff9"


@pytest.fixture(autouse=True)
def key(settings: Any) -> None:
    settings.TOKEN_KEY = settings.SUPPRESSION_KEY = "k"
    settings.SECRET_KEY = "another"


@pytest.mark.parametrize("purpose", Purpose)
def test_a_token_outlives_the_secret_key_and_every_release(purpose: Purpose) -> None:
    assert tokens.make(purpose, 17) == WRITTEN_DOWN[purpose]
    assert tokens.read(purpose, WRITTEN_DOWN[purpose].upper()) == 17


def test_the_hash_of_an_address_does_too() -> None:
    assert address_hash("Ana@Example.org") == ANA


def test_a_token_is_for_one_purpose_and_cannot_be_guessed() -> None:
    for purpose in Purpose:
        for other in set(Purpose) - {purpose}:
            assert tokens.read(other, tokens.make(purpose, 17)) is None
    token = tokens.make(Purpose.LEAVE, 17)
    for at in range(tokens.LENGTH):
        wrong = "b" if token[at] != "b" else "c"
        assert tokens.read(Purpose.LEAVE, token[:at] + wrong + token[at + 1 :]) != 17
    for text in ("", "a" * 26, "!" * 26, "a" * 25, "a" * 27, "0" * 26, "\u0130" * 26):
        assert tokens.read(Purpose.LEAVE, text) is None
