import base64

from gmail.login import Login

TOKEN = "ya29.secret"


def test_it_answers_the_reason_of_a_refusal_by_an_empty_line() -> None:
    login = Login.by("ana@gmail.com", access_token=TOKEN, app_password=None)
    assert TOKEN.encode() in login.answer(b"")
    assert login.answer(b'{"status":"401","schemes":"bearer"}') == b""
    assert login.without_secrets("Invalid") == "Invalid (token status 401)"


def test_it_leaves_out_the_spaces_of_an_app_password() -> None:
    login = Login.by("ana@gmail.com", access_token=None, app_password=" abcd efgh\tijkl mnop\n")
    assert login.answer(b"") == b"\0ana@gmail.com\0abcdefghijklmnop"


def test_it_tells_no_secret() -> None:
    login = Login.by("ana@gmail.com", access_token=TOKEN, app_password=None)
    response = base64.b64encode(login.answer(b"")).decode()
    assert login.without_secrets(f"No {TOKEN} nor {response}.") == "No *** nor ***."
    assert TOKEN not in repr(login)


def test_it_survives_a_challenge_that_is_no_base64() -> None:
    login = Login.by("ana@gmail.com", access_token=TOKEN, app_password=None)
    login.answer(b"")
    assert login.answer_base64("no base64!") == ""
