import base64

from gmail.xoauth2 import read_refusal, sasl_string


def test_it_writes_the_string_of_googles_own_example() -> None:
    """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol"""
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    assert sasl_string("someuser@example.com", token) == (
        "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbG"
        "NrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


def test_it_reads_the_servers_refusal() -> None:
    refusal = b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'
    assert read_refusal(base64.b64encode(refusal).decode())["status"] == "401"


def test_it_makes_nothing_of_a_challenge_that_is_no_refusal() -> None:
    for challenge in ("", "not base64!", base64.b64encode(b"[1]").decode(), "////"):
        assert read_refusal(challenge) == {}
