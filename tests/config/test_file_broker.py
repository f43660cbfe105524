"""The broker without a server, between real processes."""

import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty

import pytest
from kombu import Connection, Exchange, Message, Producer, Queue

from config.file_broker import LONGEST_WAIT_SECONDS, Transport

QUEUE = Queue("daypost", Exchange(""), routing_key="daypost")
PRODUCERS, CONSUMERS, TASKS_EACH = 4, 3, 400
# Large enough that a message written in place would be seen half-written.
BODY = "x" * 20_000
DEADLINE_SECONDS = 60

processes = multiprocessing.get_context("spawn")


@contextmanager
def connected(folder: Path) -> Iterator[Connection]:
    options = {
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder),
        "polling_interval": 0.001,
    }
    with Connection("filesystem://localhost//", transport=Transport, transport_options=options) as (
        connection
    ):
        yield connection


def produce(folder: Path, producer: int) -> None:
    with connected(folder) as connection:
        publisher = Producer(connection.channel())
        for number in range(TASKS_EACH):
            publisher.publish([f"{producer}-{number}", BODY], routing_key="daypost")


def consume(folder: Path, received: Path, enough: Event) -> None:
    with connected(folder) as connection, received.open("w") as log:

        def take(body: list[str], message: Message) -> None:
            message.ack()
            log.write(json.dumps([body[0], len(body[1])]) + "\n")
            log.flush()

        with connection.Consumer(QUEUE, callbacks=[take], prefetch_count=1):
            while not enough.is_set():
                try:
                    connection.drain_events(timeout=0.2)
                except TimeoutError:
                    continue


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "queue").mkdir()
    return tmp_path / "queue"


def test_it_hands_every_message_whole_to_exactly_one_worker(folder: Path, tmp_path: Path) -> None:
    enough = processes.Event()
    logs = [tmp_path / f"consumer-{number}" for number in range(CONSUMERS)]
    consumers = [processes.Process(target=consume, args=(folder, log, enough)) for log in logs]
    producers = [
        processes.Process(target=produce, args=(folder, number)) for number in range(PRODUCERS)
    ]
    for process in consumers + producers:
        process.start()
    wanted = {f"{producer}-{n}" for producer in range(PRODUCERS) for n in range(TASKS_EACH)}
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline and sum(map(lines, logs)) < len(wanted):
        time.sleep(0.1)
    enough.set()
    for process in consumers + producers:
        process.join(DEADLINE_SECONDS)
        assert process.exitcode == 0

    received = [json.loads(line) for log in logs for line in log.read_text().splitlines()]
    assert sorted(name for name, _ in received) == sorted(wanted)
    assert {length for _, length in received} == {len(BODY)}
    assert list(folder.glob("*.msg*")) == []
    assert list(folder.glob("*.draft")) == []


def lines(path: Path) -> int:
    return path.read_text().count("\n") if path.exists() else 0


def test_it_hands_out_the_oldest_first(folder: Path) -> None:
    with connected(folder) as connection, connection.channel() as channel:
        for number in range(20):
            Producer(channel).publish(number, routing_key="daypost")
        with connection.channel() as other:
            assert [other._get("daypost")["body"] for _ in range(20)] == [
                channel.encode_body(str(number), "base64")[0] for number in range(20)
            ]


def test_it_never_takes_what_is_still_being_written(folder: Path) -> None:
    (folder / "1_half.daypost.draft").write_text('{"body": "ha')
    with connected(folder) as connection:
        assert connection.SimpleQueue(QUEUE).qsize() == 0
        with connection.channel() as channel, pytest.raises(Empty):
            channel._get("daypost")


def test_it_lets_an_idle_worker_look_up_soon(folder: Path) -> None:
    with connected(folder) as connection, connection.Consumer(QUEUE):
        asked = time.monotonic()
        with pytest.raises(socket.timeout):
            connection.drain_events(timeout=10)
        assert time.monotonic() - asked < LONGEST_WAIT_SECONDS + 1
