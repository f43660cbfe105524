"""Every row of what smtp.gmail.com is known to answer, and what nobody has seen yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmail.replies import Meaning, Phase, Reply, meaning, parse_reply

LIMIT_LINES = (
    b"5.4.5 Daily user sending limit exceeded. For more information on Gmail\n"
    b"5.4.5 sending limits go to\n"
    b"5.4.5  https://support.google.com/a/answer/166852 d2e1a72fcca58-gsmtp"
)

KNOWN = [
    (250, b"2.0.0 OK  1732000000 d2e1a72fcca58 - gsmtp", Phase.DOT, Meaning.ACCEPTED),
    (550, LIMIT_LINES, Phase.DATA, Meaning.LIMIT),
    (550, LIMIT_LINES, Phase.DOT, Meaning.LIMIT),
    (550, LIMIT_LINES, Phase.RCPT, Meaning.LIMIT),
    (550, b"5.4.5 Daily sending quota exceeded.", Phase.DATA, Meaning.LIMIT),
    (550, b"Daily sending quota exceeded.", Phase.DATA, Meaning.LIMIT),
    (550, b"5.7.1 You have exceeded your daily sending limit", Phase.DATA, Meaning.LIMIT),
    (421, b"4.3.0 Temporary System Problem. Try again later", Phase.DATA, Meaning.TEMPORARY),
    (421, b"4.7.0 Temporary System Problem. Try again later", Phase.MAIL, Meaning.TEMPORARY),
    (421, b"4.7.0 Try again later, closing connection.", Phase.CONNECT, Meaning.TEMPORARY),
    (421, b"4.7.28 Our system has detected an unusual rate", Phase.DATA, Meaning.TEMPORARY),
    (550, b"5.7.28 Our system has detected an unusual rate", Phase.DATA, Meaning.TEMPORARY),
    (454, b"4.7.0 Too many login attempts, please try again later", Phase.AUTH, Meaning.TEMPORARY),
    (454, b"4.7.0 Cannot authenticate due to a temporary", Phase.AUTH, Meaning.TEMPORARY),
    (535, b"5.7.8 Username and Password not accepted.", Phase.AUTH, Meaning.AUTH),
    (534, b"5.7.9 Application-specific password required.", Phase.AUTH, Meaning.AUTH),
    (534, b"5.7.14 Please log in through your web browser", Phase.AUTH, Meaning.AUTH),
    (530, b"5.7.0 Authentication Required.", Phase.MAIL, Meaning.AUTH),
    (530, b"5.7.0 Must issue a STARTTLS command first.", Phase.MAIL, Meaning.UNKNOWN),
    (550, b"5.1.1 The email account does not exist.", Phase.RCPT, Meaning.RECIPIENT),
    (553, b"5.1.2 We weren't able to find the domain.", Phase.RCPT, Meaning.RECIPIENT),
    (553, b"5.1.3 The recipient address is not valid.", Phase.RCPT, Meaning.RECIPIENT),
    (555, b"5.5.2 Syntax error", Phase.RCPT, Meaning.RECIPIENT),
    (550, b"5.1.1 The email account does not exist.", Phase.DOT, Meaning.RECIPIENT),
    (552, b"5.2.2 The account you tried is over quota", Phase.RCPT, Meaning.RECIPIENT),
    (552, b"5.2.3 Your message exceeded Google's size limits.", Phase.DOT, Meaning.MESSAGE),
    (552, b"5.2.3 Your message exceeded Google's size limits.", Phase.DATA, Meaning.MESSAGE),
    (552, b"5.3.4 Message exceeded fixed size", Phase.MAIL, Meaning.MESSAGE),
    (552, b"5.3.4 Message exceeded fixed size", Phase.BODY, Meaning.MESSAGE),
    (552, b"5.7.0 This message was blocked because of its content", Phase.DOT, Meaning.MESSAGE),
    (451, b"4.4.2 Timeout - closing connection.", Phase.MAIL, Meaning.TEMPORARY),
    (503, b"5.5.1 RCPT first.", Phase.DATA, Meaning.UNKNOWN),
    (354, b"Go ahead", Phase.DOT, Meaning.UNKNOWN),
]


@pytest.mark.parametrize(("code", "message", "phase", "expected"), KNOWN)
def test_it_knows_what_gmail_answers(
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


@given(
    code=st.integers(min_value=300, max_value=599),
    text=st.text(),
    enhanced=st.none() | st.from_regex(r"[245]\.\d{1,2}\.\d{1,2}", fullmatch=True),
    phase=st.sampled_from(Phase),
)
def test_it_takes_only_a_2xx_for_accepted(
    code: int, text: str, enhanced: str | None, phase: Phase
) -> None:
    assert meaning(Reply(code, text, enhanced), phase) != Meaning.ACCEPTED


@given(code=st.integers(min_value=400, max_value=499), phase=st.sampled_from(Phase))
def test_it_takes_every_4xx_for_temporary(code: int, phase: Phase) -> None:
    assert meaning(Reply(code, "anything"), phase) == Meaning.TEMPORARY


def test_it_takes_the_enhanced_code_out_of_every_line() -> None:
    reply = parse_reply(550, LIMIT_LINES)
    assert reply.enhanced == "5.4.5"
    assert reply.text == (
        "Daily user sending limit exceeded. For more information on Gmail "
        "sending limits go to https://support.google.com/a/answer/166852 d2e1a72fcca58-gsmtp"
    )
    assert str(parse_reply(250, b"OK")) == "250 OK"


def test_it_reads_a_reply_in_no_known_encoding() -> None:
    assert parse_reply(550, b"\xff\xfe").code == 550
