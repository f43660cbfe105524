"""Workers, beat and broker: killed, stopped, doubled, forgotten."""

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from campaigns import tasks
from config.celery import app
from tests.torture import points
from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

# Dying at a step is what points are for; here workers of which nobody knows what comes next.
AT_A_STEP = [f"worker at a step: {how}" for how in points.HOWS]
TASKS_QUEUED = 5


@weight(4, "worker killed")
def kill_worker(this: "Round") -> None:
    if this.instance.kill_a_worker():
        this.happens("worker killed", "a worker is killed, another starts")
    this.instance.start_worker()


@weight(5, *AT_A_STEP)
def kill_worker_at_a_step(this: "Round") -> None:
    """Counted when the fault has struck: see `Round.count_strikes`."""
    plain = [point for point in points.POINTS if not point.answer and not point.left]
    # The first message of a burst, or the second.
    point = replace(this.random.choice(plain), nth=this.random.choice([1, 1, 2]))
    how = this.random.choice(point.hows)
    if how == "stop":
        # Lies still until the end of the round, or until it is killed.
        this.later(3, this.instance.wake_all)
    this.instance.start_worker(point, how)
    this.say(f"a worker starts that will {how} {point.name}")


@weight(3, "worker asleep")
def put_worker_to_sleep(this: "Round") -> None:
    worker = this.instance.put_to_sleep()
    if worker is None:
        return
    minutes = this.random.uniform(4, 20)
    this.happens("worker asleep", f"a worker falls asleep for {minutes:.0f} minutes and more")
    this.stage.advance(timedelta(minutes=minutes))
    this.later(this.random.randint(0, 2), lambda: this.instance.wake(worker))


@weight(2, "one worker more")
def one_worker_more(this: "Round") -> None:
    if len(this.instance.workers) < 5:
        this.instance.start_worker()
        this.happens("one worker more", "one worker more")


@weight(2, "second beat", "beat killed")
def trouble_with_beat(this: "Round") -> None:
    if not this.instance.by_celery:
        return
    if this.random.random() < 0.5:
        this.instance.start_beat()
        this.happens("second beat", "one beat more")
    elif this.instance.kill_a_beat():
        this.instance.start_beat()
        this.happens("beat killed", "beat is killed, another starts")


@weight(2, "broker flushed", "broker killed")
def trouble_with_broker(this: "Round") -> None:
    if not this.instance.by_celery:
        return
    if this.random.random() < 0.5:
        this.instance.flush_broker()
        this.happens("broker flushed", "the broker forgets everything")
        return
    this.stage.broker.kill()
    this.happens("broker killed", "the broker is killed")
    this.later(this.random.randint(0, 2), this.stage.broker.start)


@weight(1, "tasks doubled")
def duplicate_tasks(this: "Round") -> None:
    if not this.instance.by_celery or not this.stage.broker.runs:
        return

    def send() -> None:
        app.conf.task_always_eager = False
        for _ in range(TASKS_QUEUED):
            tasks.deliver_due.apply_async()
            tasks.deliver_next.apply_async()
            tasks.resolve_doubts.apply_async()
            for account in this.accounts:
                tasks.search_sent.apply_async((account.pk,))
                tasks.look_for_what_left.apply_async((account.pk,))

    if this.must_do("duplicate tasks", send):
        this.happens("tasks doubled", f"each task is queued {TASKS_QUEUED} times")
