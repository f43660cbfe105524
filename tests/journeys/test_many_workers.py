"""Several workers and two beats on one Redis: nothing depends on what Celery promises."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from celery import Celery
from django.db import connection
from honcho.environ import parse_procfile
from kombu import Exchange, Queue
from redis import Redis

from accounts import connect
from accounts.models import GmailAccount, LedgerRow
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_campaign, make_workspace
from tests.gmail_settings import point_at
from tests.practice_gmail import REPOSITORY, PracticeGmail
from tests.services import redis

PEOPLE = 12
PATIENCE_SECONDS = 120
STOP_SECONDS = 30
SENDERS = [f"sender{n}@gmail.com" for n in range(4)]


@pytest.fixture
def gmail(tmp_path: Path) -> Iterator[PracticeGmail]:
    with PracticeGmail(tmp_path / "gmail", accounts=SENDERS, limit=1000) as gmail:
        yield gmail


@contextmanager
def part(name: str, environment: dict[str, str], log: Path) -> Iterator[None]:
    """A process of the `Procfile`, as `make run` starts it."""
    command = parse_procfile((REPOSITORY / "Procfile").read_text()).processes[name]
    tools = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with log.open("a") as output:
        process = subprocess.Popen(
            ["/bin/sh", "-c", command],
            cwd=REPOSITORY,
            env=environment | {"PATH": tools},
            stdout=output,
            stderr=output,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(STOP_SECONDS)


def this_database() -> str:
    """The test's own, as the setting of another process."""
    if connection.vendor == "sqlite":
        return f"sqlite:///{connection.settings_dict['NAME']}"
    server, _, query = os.environ["DATABASE_URL"].partition("?")
    return f"{server.rpartition('/')[0]}/{connection.settings_dict['NAME']}?{query}"


def wait_until(holds: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


@pytest.mark.django_db(transaction=True)
def test_it_sends_everybody_one_message_whatever_becomes_of_the_tasks(
    gmail: PracticeGmail, settings: object, tmp_path: Path
) -> None:
    point_at(gmail, settings)
    workspace = make_workspace()
    senders = [
        connect.connect_by_app_password(workspace, each, gmail.app_password(each))
        for each in SENDERS
    ]
    for sharing in (senders[:2], senders[1:3], senders[3:]):
        make_campaign(workspace, sharing, recipients=PEOPLE)
    log = tmp_path / "log"
    (tmp_path / "redis").mkdir()
    with ExitStack() as parts:
        broker = parts.enter_context(redis(tmp_path / "redis"))
        environment = os.environ | gmail.env
        environment |= {"DATABASE_URL": this_database(), "CELERY_BROKER_URL": broker}
        for name in ("worker", "worker", "beat", "beat"):
            parts.enter_context(part(name, environment, log))
        pile_up(broker)
        wait_until(lambda: len(gmail.ledger()) >= PEOPLE // 2, log)
        Redis(unix_socket_path=str(tmp_path / "redis" / "redis.sock")).flushall()
        everybody = Message.objects.all()
        wait_until(lambda: not everybody.exclude(state=Message.State.SENT).exists(), log)
        finished = Campaign.objects.filter(state=Campaign.State.FINISHED)
        wait_until(lambda: finished.count() == 3, log)
    assert "Traceback" not in log.read_text(), log.read_text()
    accepted = Counter(row["to"] for row in gmail.ledger())
    assert accepted == Counter(everybody.values_list("to_email", flat=True))
    assert set(accepted.values()) == {1}
    assert LedgerRow.objects.exclude(state=LedgerRow.State.VOID).count() == 3 * PEOPLE
    assert not LedgerRow.objects.filter(state=LedgerRow.State.RESERVED).exists()
    assert not GmailAccount.objects.exclude(burst_until=None).exists()


def pile_up(broker: str) -> None:
    """Many ticks, and far more tasks than there is to do."""
    queue = Queue("daypost", Exchange(""), routing_key="daypost")
    # Not this process' own, which would go on asking that broker.
    with Celery(broker=broker, set_as_current=False) as app:
        for name in ["deliver_due"] * 5 + ["deliver_next"] * 40:
            app.send_task(f"campaigns.tasks.{name}", queue=queue)
