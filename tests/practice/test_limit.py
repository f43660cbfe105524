"""The sending limit: a rolling 24 hours of the practice clock, kept in a ledger that survives."""

import json
import smtplib
import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.practice.clients import ANA, BEN, deliver, logged_in, mail
from tests.practice_gmail import PracticeGmail

DAY = 86_400


def moment(row: dict[str, str]) -> datetime:
    return datetime.fromisoformat(row["at"])


def shift_to(gmail: PracticeGmail, wanted: datetime) -> None:
    gmail.control(clock_offset=(wanted - datetime.now(UTC)).total_seconds())


def send(gmail: PracticeGmail, to: str = "ben@example.org", account: str = ANA) -> int:
    with logged_in(gmail, account) as client:
        return deliver(client, to)[0]


def used(gmail: PracticeGmail, account: str = ANA) -> int:
    rows = gmail.control()["accounts"]
    return int(next(row["used_24h"] for row in rows if row["email"] == account))


def test_it_accepts_up_to_the_limit_and_refuses_the_next(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=3)
    with logged_in(own_gmail) as client:
        answers = [deliver(client, f"p{number}@example.org") for number in range(5)]
    assert [code for code, _ in answers] == [250, 250, 250, 550, 550]
    assert answers[3][1].startswith("5.4.5 Daily user sending limit exceeded.")
    assert [row["to"] for row in own_gmail.ledger()] == [f"p{n}@example.org" for n in range(3)]
    refused = own_gmail.refused()
    assert [(row["account"], row["to"]) for row in refused] == [
        (ANA, "p3@example.org"),
        (ANA, "p4@example.org"),
    ]
    assert refused[0]["reply"].startswith("550 5.4.5 Daily user sending limit exceeded.")
    assert set(refused[0]) == {"at", "account", "to", "reply"}


def test_it_allows_500_unless_told_otherwise(own_gmail: PracticeGmail) -> None:
    assert own_gmail.control()["limit"] == 500
    own_gmail.control(limit=0)
    assert send(own_gmail) == 550


def test_it_counts_each_account_for_itself(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=1)
    assert [send(own_gmail), send(own_gmail)] == [250, 550]
    assert send(own_gmail, account=BEN) == 250


def test_it_counts_recipients_not_messages(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=4)
    with logged_in(own_gmail) as client:
        three = [f"p{number}@example.org" for number in range(3)]
        assert client.sendmail(ANA, three, mail()) == {}
        with pytest.raises(smtplib.SMTPDataError) as refusal:
            client.sendmail(ANA, three[:2], mail())
        assert refusal.value.smtp_code == 550
        assert deliver(client, "last@example.org")[0] == 250
    assert used(own_gmail) == 4


def test_it_frees_a_place_exactly_24_hours_after_it_was_taken(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=2)
    assert send(own_gmail) == 250
    first = moment(own_gmail.ledger()[0])
    shift_to(own_gmail, first + timedelta(hours=6))
    assert send(own_gmail) == 250
    second = moment(own_gmail.ledger()[1])

    assert_free_at(own_gmail, first + timedelta(seconds=DAY))
    assert send(own_gmail) == 550
    assert_free_at(own_gmail, second + timedelta(seconds=DAY))
    assert send(own_gmail) == 550


def assert_free_at(gmail: PracticeGmail, free: datetime) -> None:
    """Ask again and again from a second before that moment until the answer is yes."""
    rows, refusals = len(gmail.ledger()), len(gmail.refused())
    shift_to(gmail, free - timedelta(seconds=1))
    with logged_in(gmail) as client:
        while (code := deliver(client, "ben@example.org")[0]) == 550:
            assert moment(gmail.refused()[-1]) < free + timedelta(seconds=1)
    assert code == 250
    assert len(gmail.refused()) > refusals
    assert moment(gmail.ledger()[rows]) >= free


def test_it_does_not_open_the_limit_when_the_clock_is_set_back(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=1, clock_offset=3 * DAY)
    assert send(own_gmail) == 250
    own_gmail.control(clock_offset=0)
    assert send(own_gmail) == 550


def test_it_forgets_nothing_over_a_restart(own_gmail: PracticeGmail) -> None:
    own_gmail.control(limit=2, clock_offset=5000)
    assert send(own_gmail) == 250
    before = own_gmail.ledger()
    assert own_gmail.stop() == 0
    own_gmail.start()
    state = own_gmail.control()
    assert (state["limit"], state["clock_offset"]) == (2, 5000)
    assert own_gmail.ledger() == before
    assert [send(own_gmail), send(own_gmail)] == [250, 550]


@pytest.mark.parametrize(
    "torn", ['{"at": "2026-11-', '{"at": "2026-11-23T10:00:00+00:00"}', "\0\0"]
)
def test_it_cuts_off_a_torn_last_line(own_gmail: PracticeGmail, torn: str) -> None:
    assert send(own_gmail, "one@example.org") == 250
    own_gmail.kill()
    ledger = own_gmail.directory / "ledger.jsonl"
    whole = ledger.read_text()
    ledger.write_text(whole + torn)
    own_gmail.start()
    assert ledger.read_text() == whole
    assert used(own_gmail) == 1
    assert send(own_gmail, "two@example.org") == 250
    assert [row["to"] for row in own_gmail.ledger()] == ["one@example.org", "two@example.org"]


def test_it_does_not_start_on_a_ledger_that_is_damaged_in_its_middle(
    own_gmail: PracticeGmail,
) -> None:
    for _ in range(2):
        assert send(own_gmail) == 250
    own_gmail.kill()
    ledger = own_gmail.directory / "ledger.jsonl"
    damaged = "nonsense" + ledger.read_text()
    ledger.write_text(damaged)
    with pytest.raises(RuntimeError, match=r"^Line 1 of .*ledger\.jsonl cannot be read\."):
        own_gmail.start()
    assert ledger.read_text() == damaged


def test_it_has_every_message_in_its_ledger_that_it_said_yes_to_before_it_was_killed(
    own_gmail: PracticeGmail,
) -> None:
    said_yes: list[str] = []
    enough = threading.Event()

    def send_until_it_dies(name: str) -> None:
        with logged_in(own_gmail) as client:
            for number in range(100_000):
                to = f"{name}{number}@example.org"
                try:
                    if deliver(client, to)[0] != 250:
                        return
                except (smtplib.SMTPException, OSError):
                    return
                said_yes.append(to)
                if len(said_yes) >= 60:
                    enough.set()

    own_gmail.control(limit=1_000_000)
    senders = [threading.Thread(target=send_until_it_dies, args=(name,)) for name in "abc"]
    for sender in senders:
        sender.start()
    assert enough.wait(20)
    own_gmail.kill()
    for sender in senders:
        sender.join(10)
    own_gmail.start()

    accepted = [row["to"] for row in own_gmail.ledger()]
    assert len(set(accepted)) == len(accepted)
    assert set(said_yes) <= set(accepted)
    # Each connection had at most one message under way whose yes was lost.
    assert len(accepted) - len(said_yes) <= len(senders)
    assert used(own_gmail) == len(accepted)
    for row in own_gmail.ledger():
        assert (own_gmail.directory / "mail" / f"{row['id']}.eml").exists()


def test_it_has_written_the_ledger_before_it_says_yes(own_gmail: PracticeGmail) -> None:
    own_gmail.control(faults=[{"where": "accepted", "hang": 30}])
    with logged_in(own_gmail) as client:
        client.mail(ANA)
        client.rcpt("ben@example.org")
        client.putcmd("DATA")
        assert client.getreply()[0] == 354
        client.send(mail().encode() + b".\r\n")
        wait_for_ledger(own_gmail, 1)
        own_gmail.kill()
    own_gmail.start()
    assert [row["to"] for row in own_gmail.ledger()] == ["ben@example.org"]


def wait_for_ledger(gmail: PracticeGmail, rows: int) -> None:
    waiting = threading.Event()
    for _ in range(500):
        if len(gmail.ledger()) >= rows:
            return
        waiting.wait(0.01)
    pytest.fail(f"The ledger did not reach {rows} rows.")


def test_it_takes_more_than_60_messages_a_second(gmail: PracticeGmail) -> None:
    each, connections = 75, 4
    body = mail(text="\r\n".join("x" * 70 for _ in range(70)))

    def work() -> None:
        with logged_in(gmail) as client:
            for number in range(each):
                assert deliver(client, f"p{number}@example.org", body)[0] == 250

    before = len(gmail.ledger())
    started = datetime.now(UTC)
    workers = [threading.Thread(target=work) for _ in range(connections)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    seconds = (datetime.now(UTC) - started).total_seconds()
    assert len(gmail.ledger()) - before == each * connections
    assert each * connections / seconds > 60


def test_it_names_a_file_that_is_not_what_it_wrote(own_gmail: PracticeGmail) -> None:
    own_gmail.stop()
    path = own_gmail.directory / "state.json"
    assert json.loads(path.read_text())["limit"] == 500
    path.write_text("{")
    with pytest.raises(RuntimeError, match=r"state\.json"):
        own_gmail.start()
