"""Faults on demand: at every step a refusal, a cut line or a silence, and what is then true."""

import base64
import smtplib
import ssl
import threading
import time

import pytest

from tests.practice.clients import ANA, BEN, Wire, deliver, logged_in, mail, smtp_ssl
from tests.practice_gmail import PracticeGmail

BROKEN = (smtplib.SMTPServerDisconnected, ConnectionError, ssl.SSLError)
# Where a message goes through after the fault of one step, nothing of it was accepted before.
BEFORE_ACCEPTANCE = ["mail", "rcpt", "data", "body", "dot"]


def count(gmail: PracticeGmail) -> int:
    return len(gmail.ledger())


def wait_for(gmail: PracticeGmail, rows: int) -> None:
    deadline = time.monotonic() + 10
    while count(gmail) < rows:
        assert time.monotonic() < deadline, f"The ledger did not reach {rows} rows."
        time.sleep(0.01)


@pytest.mark.parametrize("where", BEFORE_ACCEPTANCE)
@pytest.mark.parametrize("reply", ["421 4.7.0 Try again later", "452 4.2.2 Full", "554 5.7.1 No"])
def test_it_refuses_on_demand_and_accepts_nothing(
    gmail: PracticeGmail, where: str, reply: str
) -> None:
    before, refused = count(gmail), len(gmail.refused())
    gmail.control(faults=[{"where": where, "reply": reply}])
    with logged_in(gmail) as client:
        code, text = deliver(client, "ben@example.org")
        assert f"{code} {text}" == reply
        if where == "body" or reply.startswith("421"):
            with pytest.raises(BROKEN):
                client.noop()
        else:
            client.rset()
            assert deliver(client, "ben@example.org")[0] == 250
    assert count(gmail) == before + (where != "body" and not reply.startswith("421"))
    (row,) = gmail.refused()[refused:]
    assert row["reply"] == reply
    assert row["to"] == ("" if where == "mail" else "ben@example.org")


@pytest.mark.parametrize("where", BEFORE_ACCEPTANCE)
def test_it_cuts_the_line_on_demand_and_accepts_nothing(gmail: PracticeGmail, where: str) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": where, "drop": True}])
    with logged_in(gmail) as client, pytest.raises(BROKEN):
        deliver(client, "ben@example.org")
    with logged_in(gmail) as client:
        assert deliver(client, "cleo@example.org")[0] == 250
    assert [row["to"] for row in gmail.ledger()[before:]] == ["cleo@example.org"]


@pytest.mark.parametrize("where", [*BEFORE_ACCEPTANCE, "accepted"])
def test_it_falls_silent_on_demand_and_then_carries_on(gmail: PracticeGmail, where: str) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": where, "hang": 0.4}])
    with logged_in(gmail) as client:
        started = time.monotonic()
        assert deliver(client, "ben@example.org")[0] == 250
        assert time.monotonic() - started >= 0.4
        assert gmail.control()["faults"] == []
        assert deliver(client, "ben@example.org")[0] == 250
    assert count(gmail) == before + 2


def test_it_can_cut_the_line_when_the_message_is_accepted_already(gmail: PracticeGmail) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": "accepted", "drop": True}])
    with logged_in(gmail) as client, pytest.raises(BROKEN):
        deliver(client, "ben@example.org")
    assert [row["to"] for row in gmail.ledger()[before:]] == ["ben@example.org"]


def test_it_can_refuse_what_it_has_accepted(gmail: PracticeGmail) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": "accepted", "reply": "451 4.3.0 Mail server error"}])
    with logged_in(gmail) as client:
        assert deliver(client, "ben@example.org")[0] == 451
    assert count(gmail) == before + 1


def test_it_accepts_after_a_silence_although_the_client_has_gone(gmail: PracticeGmail) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": "dot", "hang": 0.5}])
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.say(mail(), ".")
    assert count(gmail) == before
    wait_for(gmail, before + 1)


def test_it_holds_what_is_said_during_a_silence(gmail: PracticeGmail) -> None:
    gmail.control(faults=[{"where": "mail", "hang": 0.3}, {"where": "body", "hang": 0.3}])
    with Wire(gmail) as wire:
        wire.hello()
        wire.say(f"MAIL FROM:<{ANA}>", "RCPT TO:<ben@example.org>")
        time.sleep(0.1)
        wire.say("DATA")
        codes = [wire.reply()[0][:3] for _ in range(3)]
        wire.say("Subject: one")
        time.sleep(0.1)
        wire.say("", "..body", ".", "NOOP")
        codes += [wire.reply()[0][:3] for _ in range(2)]
    assert codes == ["250", "250", "354", "250", "250"]
    source = (gmail.directory / "mail" / f"{gmail.ledger()[-1]['id']}.eml").read_bytes()
    assert source.endswith(b"Subject: one\r\n") is False
    assert b"Subject: one\r\n" in source
    assert source.endswith(b"\r\n\r\n.body\r\n")


def test_it_can_fail_at_two_steps_of_one_message(gmail: PracticeGmail) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": "dot", "hang": 0.2}, {"where": "accepted", "hang": 0.2}])
    with logged_in(gmail) as client:
        started = time.monotonic()
        assert deliver(client, "ben@example.org")[0] == 250
        assert time.monotonic() - started >= 0.4
        assert client.noop()[0] == 250
    assert count(gmail) == before + 1


def test_it_can_answer_with_something_else_than_a_greeting(gmail: PracticeGmail) -> None:
    gmail.control(faults=[{"where": "connect", "reply": "421 4.7.0 Try again later"}])
    with Wire(gmail) as wire:
        assert wire.reply() == ["421 4.7.0 Try again later"]
        assert wire.closed()
    with Wire(gmail) as wire:
        assert wire.reply()[0].startswith("220 ")


def test_it_can_close_or_hang_instead_of_a_greeting(gmail: PracticeGmail) -> None:
    gmail.control(faults=[{"where": "connect", "drop": True}])
    with pytest.raises(BROKEN), smtp_ssl(gmail):
        pytest.fail("There was a greeting.")
    gmail.control(faults=[{"where": "connect", "hang": 0.3}])
    started = time.monotonic()
    with Wire(gmail) as wire:
        assert wire.reply()[0].startswith("220 ")
    assert time.monotonic() - started >= 0.3


def test_it_can_refuse_good_credentials(gmail: PracticeGmail) -> None:
    reply = "454 4.7.0 Too many login attempts, please try again later."
    gmail.control(faults=[{"where": "auth", "reply": reply, "account": ANA}])
    proof = base64.b64encode(f"\0{ANA}\0{gmail.app_password(ANA)}".encode()).decode()
    with Wire(gmail) as wire:
        wire.hello(None)
        assert wire.ask(f"AUTH PLAIN {proof}") == reply
        assert wire.ask(f"MAIL FROM:<{ANA}>").startswith("530-5.7.0 ")
    with logged_in(gmail) as client:
        assert client.mail(ANA)[0] == 250


def test_it_strikes_as_often_as_was_said(gmail: PracticeGmail) -> None:
    gmail.control(faults=[{"where": "dot", "reply": "452 4.2.2 Full", "times": 2}])
    with logged_in(gmail) as client:
        assert [deliver(client, "ben@example.org")[0] for _ in range(3)] == [452, 452, 250]
    gmail.control(faults=[{"where": "dot", "reply": "452 4.2.2 Full", "times": None}])
    with logged_in(gmail) as client:
        assert [deliver(client, "ben@example.org")[0] for _ in range(5)] == [452] * 5
        gmail.control(faults=[])
        assert deliver(client, "ben@example.org")[0] == 250


def test_it_strikes_only_whom_it_was_told_to(gmail: PracticeGmail) -> None:
    gmail.control(
        faults=[
            {"where": "rcpt", "reply": "550 5.1.1 No such user", "to": "Ben@Example.org"},
            {"where": "dot", "reply": "421 4.3.0 Later", "account": BEN},
        ]
    )
    with logged_in(gmail) as client:
        assert deliver(client, "cleo@example.org")[0] == 250
        assert deliver(client, "ben@example.org")[0] == 550
        client.rset()
        assert deliver(client, "ben@example.org")[0] == 250
    with logged_in(gmail, BEN) as client:
        assert deliver(client, "cleo@example.org")[0] == 421


def test_it_takes_the_first_fault_that_fits(gmail: PracticeGmail) -> None:
    faults = [
        {"where": "dot", "reply": "451 4.3.0 First"},
        {"where": "dot", "reply": "452 4.3.0 Second"},
    ]
    gmail.control(faults=faults)
    with logged_in(gmail) as client:
        assert deliver(client, "ben@example.org")[0] == 451
        assert gmail.control()["faults"] == [{**faults[1], "times": 1}]
        assert deliver(client, "ben@example.org")[0] == 452
    assert gmail.control()["faults"] == []


def test_it_can_answer_in_several_lines(gmail: PracticeGmail) -> None:
    reply = "550-5.7.1 Our system has detected\n550 5.7.1 something."
    gmail.control(faults=[{"where": "dot", "reply": reply}])
    with Wire(gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.say(mail(), ".")
        assert wire.reply() == reply.split("\n")
    assert gmail.refused()[-1]["reply"] == "550 5.7.1 Our system has detected something."


def test_it_serves_others_while_one_hangs(gmail: PracticeGmail) -> None:
    before = count(gmail)
    gmail.control(faults=[{"where": "dot", "hang": 3600, "to": "slow@example.org"}])
    with Wire(gmail) as slow, logged_in(gmail) as client:
        slow.hello().begin("slow@example.org")
        slow.say(mail(), ".")
        while gmail.control()["faults"]:
            time.sleep(0.01)
        assert deliver(client, "ben@example.org")[0] == 250
    assert [row["to"] for row in gmail.ledger()[before:]] == ["ben@example.org"]


def test_it_forgets_faults_on_a_restart(own_gmail: PracticeGmail) -> None:
    own_gmail.control(faults=[{"where": "dot", "drop": True, "times": None}])
    own_gmail.stop()
    own_gmail.start()
    assert own_gmail.control()["faults"] == []


def test_it_stops_at_once_although_a_connection_hangs(own_gmail: PracticeGmail) -> None:
    own_gmail.control(faults=[{"where": "dot", "hang": 60}])
    with Wire(own_gmail) as wire:
        wire.hello().begin("ben@example.org")
        wire.say(mail(), ".")
        stopping = threading.Thread(target=own_gmail.stop)
        stopping.start()
        stopping.join(10)
        assert not stopping.is_alive()
    assert own_gmail.ledger() == []


@pytest.mark.parametrize("where", ["dot", "accepted"])
def test_it_says_no_to_no_message_that_it_takes(own_gmail: PracticeGmail, where: str) -> None:
    """A session that ends while it is at a message answers that first, at once."""
    accepted = count(own_gmail)
    own_gmail.control(faults=[{"where": where, "hang": 60, "times": 1}])

    def end_once_it_hangs() -> None:
        while own_gmail.control()["faults"]:
            time.sleep(0.01)
        own_gmail.control(end_sessions="smtp")

    with logged_in(own_gmail) as client:
        ending = threading.Thread(target=end_once_it_hangs)
        ending.start()
        code, _ = deliver(client, BEN)
        ending.join()
    assert (code, count(own_gmail)) == (250, accepted + 1)
