"""The processes of an instance: workers with their beat, killed, stopped and started at will."""

import os
import random
import resource
import time
from contextlib import suppress
from mmap import mmap
from typing import Any

from celery.signals import task_postrun
from django.db import Error

from accounts import running
from config.celery import app
from tests.torture import points, working
from tests.torture.children import Child
from tests.torture.disk import limit_files
from tests.torture.points import Point
from tests.torture.stage import Stage

# A worker of the rounds looks again so soon; that of an instance is woken every five seconds.
PAUSE_SECONDS = 0.05
SMTP_SECONDS = 0.5
DATABASE_SECONDS = 0.5
TICK_SECONDS = 0.1
# Between two faults: a pass of one worker has about so many tasks, and one that hangs none.
TASKS = 6
LONGEST_SECONDS = 0.5
MOMENT_SECONDS = 0.05


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
        # How many tasks its workers have ended, as a number of one byte that begins again.
        self._ended = mmap(-1, 1)
        # No file of its processes may grow beyond this, in bytes.
        self._largest_file = resource.RLIM_INFINITY

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
            running.take_part()
            limit_files(os.getpid(), self._largest_file)
            working.hurry(SMTP_SECONDS, DATABASE_SECONDS)
            self._stage.disk.install()
            task_postrun.connect(self._count_task, weak=False)
            if point is not None:
                points.arm(point, how)
            if self.by_celery:
                _work_by_celery()
            else:
                _work_in_a_loop()

        self.workers.append(self._stage.child(f"worker {len(self.workers)}", work))

    def _count_task(self, **kwargs: Any) -> None:
        self._ended[0] = (self._ended[0] + 1) % 256

    def let_work(self) -> None:
        """Until its workers have got somewhere, or cannot; and then for a moment more."""
        before, deadline = self._ended[0], time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            if (self._ended[0] - before) % 256 >= TASKS:
                break
            time.sleep(0.005)
        time.sleep(self._random.uniform(0, MOMENT_SECONDS))

    def start_beat(self) -> None:
        self.beats.append(self._stage.child("beat", _beat))

    def kill_a_worker(self) -> bool:
        return self._kill_one_of(self.workers)

    def kill_a_beat(self) -> bool:
        return self._kill_one_of(self.beats)

    def put_to_sleep(self) -> Child | None:
        """One that works, by SIGSTOP."""
        awake = [one for one in self.workers if one not in self._asleep and not one.has_ended()]
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
        if self._stage.broker.runs:
            self._stage.broker.flush()

    def limit_files(self, size: int) -> None:
        """Of those that work and of those that will."""
        self._largest_file = size
        for each in (*self.workers, *self.beats):
            if not each.has_ended():
                limit_files(each.pid, size)

    def unlimit_files(self) -> None:
        self.limit_files(resource.RLIM_INFINITY)

    def _kill_one_of(self, children: list[Child]) -> bool:
        if not children:
            return False
        child = self._random.choice(children)
        children.remove(child)
        if child in self._asleep:
            self._asleep.remove(child)
        lived = not child.has_ended()
        self._kill(child)
        return lived

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
