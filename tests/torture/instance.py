"""The processes of an instance: workers with their beat, killed, stopped and started at will."""

import random
import time
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import Error

from config.celery import app
from tests.torture import points, working
from tests.torture.children import Child
from tests.torture.points import Point
from tests.torture.stage import Stage

# A worker of the rounds looks again so soon; that of an instance is woken every five seconds.
PAUSE_SECONDS = 0.05
SMTP_SECONDS = 0.5
DATABASE_SECONDS = 0.5
TICK_SECONDS = 0.1


class Instance:
    """Either real workers and beats of Celery over the run's broker, or the same tasks in a loop.

    Loops start ten times as fast, so most rounds use them.
    """

    def __init__(self, stage: Stage, draw: random.Random) -> None:
        self._stage = stage
        self._random = draw
        self.by_celery = draw.random() < 0.2
        self.workers: list[Child] = []
        self.beats: list[Child] = []
        self._asleep: list[Child] = []

    def start(self) -> None:
        if self.by_celery:
            self.flush_broker()
            self.start_beat()
        for _ in range(self._random.randint(1, 3)):
            self.start_worker()

    def end(self) -> None:
        """Nobody says goodbye."""
        for each in (*self._asleep, *self.workers, *self.beats):
            self._kill(each)
        self._asleep, self.workers, self.beats = [], [], []

    @property
    def somebody_sleeps(self) -> bool:
        return bool(self._asleep)

    def start_worker(self, point: Point | None = None, how: str = "") -> None:
        """With a fault waiting at `point`."""

        def work() -> None:
            working.hurry(SMTP_SECONDS, DATABASE_SECONDS)
            self._stage.disk.install()
            if point is not None:
                points.arm(point, how)
            if self.by_celery:
                _work_by_celery()
            else:
                _work_in_a_loop()

        self.workers.append(self._stage.child(f"worker {len(self.workers)}", work))

    def start_beat(self) -> None:
        self.beats.append(self._stage.child("beat", _beat))

    def kill_a_worker(self) -> bool:
        return self._kill_one_of(self.workers)

    def kill_a_beat(self) -> bool:
        return self._kill_one_of(self.beats)

    def put_to_sleep(self) -> Child | None:
        """One that works, by SIGSTOP."""
        awake = [each for each in self.workers if each not in self._asleep]
        if not awake:
            return None
        worker = self._random.choice(awake)
        worker.stop()
        self._asleep.append(worker)
        return worker

    def wake(self, worker: Child) -> None:
        if worker in self._asleep:
            self._asleep.remove(worker)
            worker.wake()

    def wake_all(self) -> None:
        """Those as well that a fault has put to sleep."""
        for worker in self.workers:
            worker.wake()
        self._asleep = []

    def flush_broker(self) -> None:
        """Whatever was queued is gone."""
        if settings.CELERY_BROKER_URL.startswith("filesystem:"):
            for message in Path(settings.BROKER_DIR, "queue").glob("*.msg"):
                with suppress(FileNotFoundError):
                    message.unlink()
        else:
            with app.connection_for_write() as connection:
                connection.default_channel.client.flushall()

    def _kill_one_of(self, children: list[Child]) -> bool:
        if not children:
            return False
        child = self._random.choice(children)
        children.remove(child)
        if child in self._asleep:
            self._asleep.remove(child)
        self._kill(child)
        return True

    def _kill(self, child: Child) -> None:
        self._stage.kills += not child.has_ended()
        child.kill()


def _work_in_a_loop() -> None:
    while True:
        # A pass that fails is repeated, as beat repeats a task.
        with suppress(Error):
            working.one_pass()
        time.sleep(PAUSE_SECONDS)


def _work_by_celery() -> None:
    app.conf.task_always_eager = False
    app.worker_main(
        ["worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "ERROR"]
        + ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    )


def _beat() -> None:
    app.conf.task_always_eager = False
    for entry in app.conf.beat_schedule.values():
        entry["schedule"] = TICK_SECONDS
    app.Beat(loglevel="ERROR").run()
