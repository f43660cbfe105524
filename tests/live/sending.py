"""What smtp.gmail.com says, and what it bears."""

import base64
import contextlib
import re
import time

from gmail.errors import AuthRefused, ConnectionLost, FateUnknown, Refused
from gmail.replies import Phase, Reply, meaning
from gmail.smtp import SmtpSession
from gmail.smtp_line import SmtpLine
from tests.live.account import Account
from tests.live.facts import Fact

BURST = 20
INITIAL_RESPONSES = (400, 700, 1_000, 2_000, 4_000)
WRONG_TOKEN = "ya29.no-such-token"
_EPOCH = re.compile(r"\bOK\s+(\d{9,11})\b")


def what_ehlo_offers(account: Account) -> str:
    line = SmtpLine(account.endpoints, "ssl", timeout=60)
    try:
        return line.ask(Phase.EHLO, "EHLO [127.0.0.1]").text
    finally:
        line.hang_up()


def a_wrong_token(account: Account) -> str:
    try:
        SmtpSession.open(
            account.endpoints,
            security="starttls",
            address=account.address,
            access_token=WRONG_TOKEN,
        ).close()
    except AuthRefused as refused:
        return f"{refused.said} (taken as: {refused.why})"
    return "let in"


def a_long_initial_response(account: Account) -> str:
    """Asked with tokens that were never good, so that no secret is said in vain."""
    seen = []
    for length in INITIAL_RESPONSES:
        line = SmtpLine(account.endpoints, "ssl", timeout=60)
        try:
            reply = line.ask(Phase.AUTH, f"AUTH XOAUTH2 {_response(account.address, length)}")
        except ConnectionLost:
            seen.append(f"{length}: hung up")
            continue
        finally:
            line.hang_up()
        taken = reply.code in (334, 535)  # the token was read, whatever was thought of it
        seen.append(f"{length}: {'taken' if taken else reply}")
    return "; ".join(seen)


def _response(address: str, length: int) -> str:
    """About `length` characters of base64."""
    empty = f"user={address}\x01auth=Bearer \x01\x01"
    token = "x" * max(1, length * 3 // 4 - len(empty))
    return base64.b64encode(f"user={address}\x01auth=Bearer {token}\x01\x01".encode()).decode()


def the_answer_to_a_message(account: Account) -> str:
    return str(account.example.reply)


def the_clock(account: Account) -> str:
    accepted = account.example
    found = _EPOCH.search(accepted.reply.text)
    if not found:
        return "no seconds in the answer"
    ahead = int(found[1]) - accepted.wall.timestamp()
    return f"seconds since 1970 in the answer; {ahead:+.0f} s from this machine's clock"


def an_impossible_recipient(account: Account) -> str:
    session = account.smtp()
    try:
        session.begin(account.address, "nobody@no-such-domain.invalid")
    except Refused as refused:
        return f"{refused.reply} (at {refused.phase})"
    session.abandon()
    return "taken at RCPT"


def many_over_one_session(account: Account) -> str:
    account.close()
    logins = account.smtp_logins
    replies: list[str] = []
    began = time.monotonic()
    for _ in range(BURST):
        try:
            reply = account.send(account.compose("one of many")).reply
        except (Refused, ConnectionLost, FateUnknown) as err:
            replies.append(str(err))
            continue
        if reply.code != 250:
            replies.append(str(reply))
    took = time.monotonic() - began
    accepted = (
        f"{BURST - len(replies)} of {BURST} accepted over {account.smtp_logins - logins} session(s)"
    )
    return "; ".join([f"{accepted} in {took:.1f} s", *dict.fromkeys(replies)])


def idle_time(account: Account) -> str:
    session = account.smtp()
    time.sleep(account.settings.idle)
    try:
        session.begin(account.address, account.address)
    except (ConnectionLost, Refused) as err:
        return f"closed within {account.settings.idle:g} s: {err}"
    session.abandon()
    return f"still open after {account.settings.idle:g} s"


def beyond_the_limit(account: Account) -> str:
    """Sends until Gmail says no: for an account that may do without sending for a day."""
    most = account.settings.most_to_pass_the_limit
    if not most:
        return "not tried"
    for number in range(1, most + 1):
        with contextlib.suppress(ConnectionLost):
            answer = _answer_to_one_more(account)
            if answer.code != 250:
                return f"message {number} got: {answer} (taken as: {meaning(answer, Phase.DOT)})"
    return f"{most} more were accepted"


def _answer_to_one_more(account: Account) -> Reply:
    try:
        return account.send(account.compose("up to the limit")).reply
    except Refused as refused:
        return refused.reply


FACTS = (
    Fact(
        "What EHLO offers under TLS",
        "SIZE 35882577, 8BITMIME, AUTH with XOAUTH2 and PLAIN, ENHANCEDSTATUSCODES, PIPELINING, "
        "CHUNKING, SMTPUTF8; no DSN",
        "H",
        what_ehlo_offers,
    ),
    Fact("A wrong token, SMTP", "334 with JSON, then 535 5.7.8", "H", a_wrong_token),
    Fact(
        "XOAUTH2 with an initial response of so many characters",
        "555 5.5.2 from about 700",
        "M",
        a_long_initial_response,
    ),
    Fact(
        "The answer to the end of a message",
        "250 2.0.0 OK, seconds since 1970, an id, gsmtp",
        "H",
        the_answer_to_a_message,
    ),
    Fact("The clock in that answer", "right to the second", "H", the_clock),
    Fact(
        "A recipient in a domain that cannot be",
        "taken at RCPT, a report comes back later",
        "L",
        an_impossible_recipient,
    ),
    Fact(
        f"{BURST} messages over one session",
        "all accepted; how many a session bears is not known",
        "?",
        many_over_one_session,
    ),
    Fact("Idle time that SMTP allows", "not known; 451 4.4.2 when it is over", "?", idle_time),
)

# Last, because nothing can be sent after it.
LIMIT = Fact(
    "One message more than the limit",
    "550 5.4.5 Daily user sending limit exceeded, at the end of DATA",
    "M",
    beyond_the_limit,
)
