"""Every row of what smtp.gmail.com is known to answer, and what nobody has seen yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmail.replies import (
    LONGEST,
    LoginRefusal,
    Meaning,
    Phase,
    Reply,
    Trouble,
    fit_to_keep,
    login_refusal,
    meaning,
    parse_reply,
    reading_refusal,
    trouble,
)
from tests.gmail import gmail_says
from tests.gmail.gmail_says import read

P = Phase
ACCEPTED = "250 2.0.0 OK  1732000000 d2e1a72fcca58-6ac4b9d7f3asm1234567b3a.42 - gsmtp"
ANY = (P.CONNECT, P.MAIL, P.RCPT, P.DATA, P.BODY, P.DOT)
WITH_RECIPIENT = (P.RCPT, P.DATA, P.BODY, P.DOT)

# The table, row by row: what Gmail says, where, and what it means.
KNOWN = [
    (ACCEPTED, (P.DOT,), Meaning.ACCEPTED),
    (gmail_says.LIMIT, (P.MAIL, *WITH_RECIPIENT), Meaning.LIMIT),
    (gmail_says.OLDER_LIMIT, (P.MAIL, *WITH_RECIPIENT), Meaning.LIMIT),
    (gmail_says.SYSTEM_PROBLEM, (P.AUTH, *ANY), Meaning.TEMPORARY),
    (gmail_says.TRY_LATER, (P.AUTH, *ANY), Meaning.TEMPORARY),
    (gmail_says.CLOSING, (P.EHLO, *ANY), Meaning.TEMPORARY),
    (gmail_says.BUSY, ANY, Meaning.TEMPORARY),
    (gmail_says.UNUSUAL_RATE, ANY, Meaning.TEMPORARY),
    (gmail_says.REFUSED_RATE, ANY, Meaning.TEMPORARY),
    (gmail_says.TOO_MANY_LOGINS, (P.AUTH,), Meaning.TEMPORARY),
    (gmail_says.CANNOT_AUTHENTICATE, (P.AUTH,), Meaning.TEMPORARY),
    (gmail_says.BAD_CREDENTIALS, (P.AUTH, P.MAIL), Meaning.AUTH),
    (gmail_says.NEEDS_APP_PASSWORD, (P.AUTH, P.MAIL), Meaning.AUTH),
    (gmail_says.NEEDS_BROWSER, (P.AUTH, P.MAIL), Meaning.AUTH),
    (gmail_says.STARTTLS_FIRST, (P.AUTH, *ANY), Meaning.UNKNOWN),
    (gmail_says.NOT_LOGGED_IN, ANY, Meaning.SESSION),
    (gmail_says.NO_SUCH_ACCOUNT, WITH_RECIPIENT, Meaning.RECIPIENT),
    (gmail_says.NO_SUCH_DOMAIN, WITH_RECIPIENT, Meaning.RECIPIENT),
    (gmail_says.NO_ADDRESS, WITH_RECIPIENT, Meaning.RECIPIENT),
    (gmail_says.MAILBOX_BUSY, (P.RCPT,), Meaning.RECIPIENT_LATER),
    (gmail_says.MAILBOX_FULL, (P.RCPT,), Meaning.RECIPIENT_LATER),
    (gmail_says.TOO_LARGE, (P.MAIL, *WITH_RECIPIENT), Meaning.MESSAGE),
    (gmail_says.TOO_LARGE_PARTS, (P.MAIL, *WITH_RECIPIENT), Meaning.MESSAGE),
    (gmail_says.UNSAFE, (P.DATA, P.BODY, P.DOT), Meaning.MESSAGE),
    (gmail_says.IDLE, (P.AUTH, *ANY), Meaning.SESSION),
]

# Further ones that Google's page lists, or that a field report quotes.
ALSO_SEEN = [
    (550, b"Daily sending quota exceeded.", P.DATA, Meaning.LIMIT),
    (550, b"5.7.1 You have exceeded your daily sending limit", P.DATA, Meaning.LIMIT),
    (550, b"5.7.1 Daily SMTP relay limit exceeded for customer.", P.DATA, Meaning.LIMIT),
    (550, b"5.4.5 You have reached a limit for sending mail.", P.DOT, Meaning.LIMIT),
    (421, b"Service closing transmission channel - timeout", P.MAIL, Meaning.SESSION),
    (454, b"5.7.0 Too many login attempts, please try again later.", P.AUTH, Meaning.TEMPORARY),
    (535, b"5.7.1 Please log in with your web browser and then try again", P.AUTH, Meaning.AUTH),
    (535, b"5.5.4 Optional Argument not permitted for that AUTH mode.", P.AUTH, Meaning.UNKNOWN),
    (555, b"5.5.2 command line too long", P.AUTH, Meaning.UNKNOWN),
    (504, b"5.7.4 Unrecognized Authentication Type", P.AUTH, Meaning.UNKNOWN),
    (555, b"5.5.2 Syntax error", P.RCPT, Meaning.RECIPIENT),
    (552, b"5.2.2 The account you tried is over quota", P.RCPT, Meaning.RECIPIENT),
    (553, b"5.6.7 The server takes no addresses beyond ASCII.", P.RCPT, Meaning.RECIPIENT),
    (501, b"5.1.3 Bad recipient address syntax", P.RCPT, Meaning.RECIPIENT),
    (501, b"5.5.2 Syntax error", P.RCPT, Meaning.UNKNOWN),
    (501, b"5.1.7 Bad sender address syntax", P.RCPT, Meaning.UNKNOWN),
    (501, b"5.1.7 Bad sender address syntax", P.MAIL, Meaning.UNKNOWN),
    (553, b"5.1.7 The sender address is not valid", P.RCPT, Meaning.UNKNOWN),
    (550, b"5.7.0 Mail Sending denied.", P.RCPT, Meaning.UNKNOWN),
    (451, b"4.3.0 Mail server temporarily rejected message.", P.RCPT, Meaning.TEMPORARY),
    (421, b"4.2.1 Closing", P.RCPT, Meaning.TEMPORARY),
    (554, b"5.6.0 Mail message is malformed. Not accepted.", P.DOT, Meaning.MESSAGE),
    (503, b"5.5.1 RCPT first.", P.DATA, Meaning.UNKNOWN),
    (354, b"Go ahead", P.DOT, Meaning.UNKNOWN),
    # The code alone, and the words alone: either is enough.
    (550, b"5.4.5 No.", P.DATA, Meaning.LIMIT),
    (550, b"5.7.28 No.", P.DATA, Meaning.TEMPORARY),
    (421, b"4.7.28 No.", P.RCPT, Meaning.TEMPORARY),
    (550, b"5.7.1 We see an unusual rate of mail from you.", P.DATA, Meaning.TEMPORARY),
    (451, b"4.4.1 No.", P.RCPT, Meaning.RECIPIENT_LATER),
    (550, b"5.3.0 No.", P.RCPT, Meaning.UNKNOWN),
    (553, b"5.1.8 No.", P.RCPT, Meaning.UNKNOWN),
]


@pytest.mark.parametrize(
    ("said", "phase", "expected"),
    [(said, phase, expected) for said, phases, expected in KNOWN for phase in phases],
)
def test_it_knows_what_gmail_answers(said: str, phase: Phase, expected: Meaning) -> None:
    assert meaning(read(said), phase) == expected


@pytest.mark.parametrize(("code", "message", "phase", "expected"), ALSO_SEEN)
def test_it_knows_what_was_seen_besides(
    code: int, message: bytes, phase: Phase, expected: Meaning
) -> None:
    assert meaning(parse_reply(code, message), phase) == expected


@pytest.mark.parametrize("phase", [Phase.DATA, Phase.BODY, Phase.DOT])
def test_it_lets_an_unknown_refusal_of_content_pause_the_campaign(phase: Phase) -> None:
    """Whatever it is about, sending the next message the same way would not help."""
    assert meaning(Reply(554, "No."), phase) == Meaning.MESSAGE


def test_it_blames_only_the_recipient_for_an_unknown_refusal_at_rcpt() -> None:
    assert meaning(Reply(554, "No."), Phase.RCPT) == Meaning.RECIPIENT


@pytest.mark.parametrize("phase", [Phase.CONNECT, Phase.EHLO, Phase.STARTTLS, Phase.MAIL])
def test_it_blames_nobody_for_an_unknown_refusal_before_a_recipient_is_named(
    phase: Phase,
) -> None:
    assert meaning(Reply(554, "No."), phase) == Meaning.UNKNOWN


REPLIES = st.builds(
    Reply,
    code=st.integers(min_value=0, max_value=999),
    text=st.text() | st.sampled_from([read(said).text for said, _, _ in KNOWN]),
    enhanced=st.none() | st.from_regex(r"[245]\.\d{1,2}\.\d{1,2}", fullmatch=True),
)


@given(reply=REPLIES, phase=st.sampled_from(Phase))
def test_it_has_an_answer_to_everything_and_takes_only_a_2xx_for_accepted(
    reply: Reply, phase: Phase
) -> None:
    assert (meaning(reply, phase) is Meaning.ACCEPTED) == (200 <= reply.code <= 299)
    assert trouble(reply) in Trouble
    assert login_refusal(reply) in LoginRefusal


@given(reply=REPLIES, phase=st.sampled_from(Phase))
def test_it_refuses_nobody_for_good_on_a_4xx(reply: Reply, phase: Phase) -> None:
    later = {Meaning.TEMPORARY, Meaning.RECIPIENT_LATER, Meaning.SESSION, Meaning.LIMIT}
    if 400 <= reply.code <= 499:
        assert meaning(reply, phase) in later


@given(reply=REPLIES)
def test_it_blames_no_recipient_before_one_is_named(reply: Reply) -> None:
    for phase in (P.CONNECT, P.EHLO, P.STARTTLS, P.AUTH, P.MAIL):
        assert meaning(reply, phase) not in (Meaning.RECIPIENT, Meaning.RECIPIENT_LATER)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (gmail_says.LIMIT, Trouble.LIMIT),
        (gmail_says.OLDER_LIMIT, Trouble.LIMIT),
        (gmail_says.UNUSUAL_RATE, Trouble.RATE),
        (gmail_says.REFUSED_RATE, Trouble.RATE),
        ("421 4.7.28 No.", Trouble.RATE),
        (gmail_says.TOO_MANY_LOGINS, Trouble.LOGINS),
        (gmail_says.CANNOT_AUTHENTICATE, Trouble.SYSTEM),
        (gmail_says.SYSTEM_PROBLEM, Trouble.SYSTEM),
        (gmail_says.TOO_LARGE, Trouble.TOO_LARGE),
        (gmail_says.TOO_LARGE_PARTS, Trouble.TOO_LARGE),
        (gmail_says.UNSAFE, Trouble.UNSAFE),
        (gmail_says.STARTTLS_FIRST, Trouble.OTHER),
    ],
)
def test_it_knows_what_a_refusal_is_about(said: str, expected: Trouble) -> None:
    assert trouble(read(said)) is expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (gmail_says.BAD_CREDENTIALS, LoginRefusal.CREDENTIALS),
        (gmail_says.NEEDS_APP_PASSWORD, LoginRefusal.APPLICATION_SPECIFIC),
        (gmail_says.NEEDS_BROWSER, LoginRefusal.WEB_LOGIN),
        ("534 5.7.9 No.", LoginRefusal.APPLICATION_SPECIFIC),
        ("534 5.7.14 No.", LoginRefusal.WEB_LOGIN),
        ("535 5.7.1 Application-specific password required.", LoginRefusal.APPLICATION_SPECIFIC),
        ("535 5.7.1 Please log in with your web browser.", LoginRefusal.WEB_LOGIN),
    ],
)
def test_it_knows_why_a_login_was_refused(said: str, expected: LoginRefusal) -> None:
    assert login_refusal(read(said)) is expected


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
        ("[AUTH] Please log in with your web browser, then try again.", LoginRefusal.WEB_LOGIN),
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


@pytest.mark.parametrize(
    ("said", "ends"),
    [(gmail_says.IDLE, True), (gmail_says.BUSY, True), (gmail_says.MAILBOX_BUSY, False)],
)
def test_it_knows_after_which_reply_the_server_hangs_up(said: str, ends: bool) -> None:
    assert read(said).ends_session is ends


@pytest.mark.parametrize("said", [said for said, _, _ in KNOWN])
def test_it_reads_back_what_it_wrote_down(said: str) -> None:
    assert Reply.read(str(read(said))) == read(said)


def test_it_leaves_gmails_session_out_of_what_a_person_reads() -> None:
    said = read(gmail_says.TOO_LARGE).without_session
    assert said.endswith("visit https://support.google.com/mail/?p=MaxSizeError")
    assert read("450 4.2.1 Mailbox busy.").without_session == "450 4.2.1 Mailbox busy."


@pytest.mark.parametrize("words", ["", "smtp.gmail.com: no answer in time", "999 problems", "25"])
def test_it_takes_other_words_for_no_reply(words: str) -> None:
    assert Reply.read(words) is None


def test_it_takes_the_enhanced_code_out_of_every_line() -> None:
    reply = read(gmail_says.LIMIT)
    assert reply.enhanced == "5.4.5"
    assert reply.text.startswith(
        "Daily user sending limit exceeded. For more information on Gmail sending limits go to "
        "https://support.google.com/a/answer/166852"
    )
    assert str(parse_reply(250, b"OK")) == "250 OK"


def test_it_reads_a_reply_in_no_known_encoding() -> None:
    assert parse_reply(550, b"\xff\xfe").code == 550


def test_it_drops_what_no_page_and_no_table_can_hold() -> None:
    reply = parse_reply(250, b"2.0.0 O\x00K\t1 \x1b[31m\xc2\x85red\n2.0.0 done\x7f")
    assert str(reply) == "250 2.0.0 O K 1  [31m red done"


def test_it_keeps_no_more_than_a_thousand_characters_and_cuts_between_words() -> None:
    reply = parse_reply(451, b"4.3.0 " + b"nine nine " * 1_000)
    assert 980 < len(reply.text) <= LONGEST
    assert reply.text.endswith(" nine …")
    assert parse_reply(451, b"4.3.0 " + b"x" * 5_000).text == "…"
    assert fit_to_keep("x" * LONGEST) == "x" * LONGEST
