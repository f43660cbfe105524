"""Gmail: what it answers, when it hangs up, and what is written there by hand."""

import random
import smtplib
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.mail_by_hand import write_by_hand
from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

# Behind the dot: it is in the ledger, and its 250 is missing. A no would be a lie there: whoever
# answers 4xx or 5xx has not accepted (RFC 5321 section 4.2.1).
ACCEPTED = "accepted"
PLACES = ("mail", "rcpt", "data", "body", "dot")
SAYS_NO = ("421 4.7.0 Try again later", "451 4.3.0 Mail server temporarily rejected message")
LOGIN_SAYS_NO = (
    "454 4.7.0 Too many login attempts",
    "454 4.7.0 Cannot authenticate due to a temporary system problem",
    "535 5.7.8 Username and Password not accepted",
)
KINDS = ("reply", "drop", "drop", "hang", "login", "connect", "recipient", "limit")
# Longer than a worker of a round waits for Gmail.
TOO_LONG_SECONDS = 0.8
# As much as the accounts of such a round keep free for it, and no more before Sent is read again.
MOST_BY_HAND = 4
BETWEEN_BY_HAND = timedelta(minutes=30)


@weight(5, *(f"Gmail: {kind}" for kind in KINDS))
def gmail_fails(this: "Round") -> None:
    """Counted when the fault has struck: see `Round.plant`."""
    chosen = [_gmail_fault(this.random) for _ in range(this.random.randint(1, 3))]
    this.plant(chosen)
    this.say(f"Gmail fails: {[fault for _, fault in chosen]}")


def _gmail_fault(dice: random.Random) -> tuple[str, dict[str, object]]:
    kind = dice.choice(KINDS)
    times = dice.randint(1, 3)
    return kind, _fault_of(kind, dice) | {"times": 1 if kind in ("hang", "login") else times}


def _fault_of(kind: str, dice: random.Random) -> dict[str, object]:
    if kind == "reply":
        return {"where": dice.choice(PLACES), "reply": dice.choice(SAYS_NO)}
    if kind == "drop":
        return {"where": dice.choice([*PLACES, ACCEPTED]), "drop": True}
    if kind == "hang":
        return {"where": dice.choice([*PLACES, ACCEPTED]), "hang": TOO_LONG_SECONDS}
    if kind == "login":
        return {"where": "auth", "reply": dice.choice(LOGIN_SAYS_NO)}
    if kind == "connect":
        return {"where": "connect", "drop": True}
    if kind == "limit":
        where = dice.choice(["data", "dot"])
        return {"where": where, "reply": "550 5.4.5 Daily user sending limit exceeded"}
    return {"where": "rcpt", "reply": "550 5.1.1 The email account does not exist"}


@weight(1, "Gmail ends all sessions")
def gmail_ends_sessions(this: "Round") -> None:
    this.stage.gmail.control(end_sessions="smtp")
    this.happens("Gmail ends all sessions", "Gmail ends all sessions")


@weight(2, "mail by hand")
def mail_by_hand(this: "Round") -> None:
    """With a phone; what Gmail refuses at this moment was not sent."""
    now = this.stage.clock.true_now()
    if not this.written_by_hand or now < (this.by_hand_at or now):
        return
    account = this.random.choice(this.accounts)
    to = [f"friend{n}@example.org" for n in range(this.random.randint(1, MOST_BY_HAND))]
    with suppress(smtplib.SMTPException, OSError):
        write_by_hand(this.stage.gmail, account.address, to)
        this.happens("mail by hand", f"{account.address} writes to {len(to)} by hand")
    this.by_hand_at = now + BETWEEN_BY_HAND
