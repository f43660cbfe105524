import base64

from gmail.xoauth2 import read_refusal, sasl_response


def test_it_writes_the_string_of_googles_own_example() -> None:
    """https://developers.google.com/workspace/gmail/imap/xoauth2-protocol"""
    token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"
    assert base64.b64encode(sasl_response("someuser@example.com", token)) == (
        b"dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbG"
        b"NrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ=="
    )


def test_it_reads_the_servers_refusal() -> None:
    refusal = b'{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}'
    assert read_refusal(refusal)["status"] == "401"


def test_it_makes_nothing_of_a_challenge_that_is_no_refusal() -> None:
    for challenge in (b"", b"no JSON!", b"[1]", b"\xff\xff\xff"):
        assert read_refusal(challenge) == {}
