import base64

import pytest

from gmail.login import Login, reading_refusal
from gmail.replies import LoginRefusal

TOKEN = "ya29.secret"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", LoginRefusal.CREDENTIALS),
        ("[AUTH] Username and password not accepted.", LoginRefusal.CREDENTIALS),
        ("[AUTHENTICATIONFAILED] Authentication failed.", LoginRefusal.CREDENTIALS),
        ("Invalid credentials", LoginRefusal.CREDENTIALS),
        (
            "[ALERT] Application-specific password required: "
            "https://support.google.com/accounts/answer/185833 (Failure)",
            LoginRefusal.APPLICATION_SPECIFIC,
        ),
        (
            "[AUTH] Application-specific password required: "
            "https://support.google.com/accounts/answer/185833",
            LoginRefusal.APPLICATION_SPECIFIC,
        ),
        (
            "[WEBALERT https://accounts.google.com/x] Web login required. (Failure)",
            LoginRefusal.WEB_LOGIN,
        ),
        ("[AUTH] Web login required: https://support.google.com/x", LoginRefusal.WEB_LOGIN),
        (
            "[ALERT] Please log in via your web browser: https://support.google.com/x (Failure)",
            LoginRefusal.WEB_LOGIN,
        ),
        (
            "[ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings "
            "page and enable your account for IMAP access. (Failure)",
            LoginRefusal.SWITCHED_OFF,
        ),
        (
            "[SYS/PERM] Your account is not enabled for POP access. Please visit your Gmail "
            "settings page and enable your account for POP access.",
            LoginRefusal.SWITCHED_OFF,
        ),
        (
            "[ALERT] IMAP access is disabled for your domain. Please contact your domain "
            "administrator for questions about this feature. (Failure)",
            LoginRefusal.SWITCHED_OFF,
        ),
        ("[UNAVAILABLE] Temporary System Error (Failure)", None),
        ("[SYS/TEMP] Temporary system problem. Please try again later.", None),
        ("[ALERT] Too many simultaneous connections. (Failure)", None),
        ("[IN-USE] Do you have another POP session running?", None),
        ("Something that nobody has heard yet", None),
        ("", None),
    ],
)
def test_it_knows_for_what_reason_gmail_refuses_a_reader(
    said: str, why: LoginRefusal | None
) -> None:
    assert reading_refusal(said) is why


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
