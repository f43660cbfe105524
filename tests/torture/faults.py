"""What a random round does to an instance: each function is one fault, drawn by its weight."""

import random
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts.models import GmailAccount
from campaigns import control, tasks
from campaigns.models import Suppression
from config.celery import app
from tests.torture import points

if TYPE_CHECKING:
    from tests.torture.rounds import Round

Fault = Callable[["Round"], None]
_WEIGHTS: dict[Fault, float] = {}

PLACES = ("mail", "rcpt", "data", "body", "dot", "accepted")
SAYS_NO = ("421 4.7.0 Try again later", "451 4.3.0 Mail server temporarily rejected message")
LOGIN_SAYS_NO = (
    "454 4.7.0 Too many login attempts",
    "454 4.7.0 Cannot authenticate due to a temporary system problem",
    "535 5.7.8 Username and Password not accepted",
)
# Longer than a worker of a round waits for Gmail, or for a lock.
TOO_LONG_SECONDS = 0.8


def weight(weight: float) -> Callable[[Fault], Fault]:
    def register(fault: Fault) -> Fault:
        _WEIGHTS[fault] = weight
        return fault

    return register


def draw(dice: random.Random) -> Fault:
    return dice.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]


# --- Processes -----------------------------------------------------------------------------------


@weight(4)
def kill_worker(this: "Round") -> None:
    this.instance.kill_a_worker()
    this.instance.start_worker()
    this.say("a worker is killed, another starts")


@weight(5)
def kill_worker_at_a_step(this: "Round") -> None:
    plain = [point for point in points.POINTS if not point.answer and not point.left]
    point = this.random.choice(plain)
    how = this.random.choice(point.hows)
    if how == "stop":
        # Lies still until the end of the round, or until it is killed.
        this.later(3, this.instance.wake_all)
    this.instance.start_worker(point, how)
    this.say(f"a worker starts that will {how} {point.name}")


@weight(3)
def put_worker_to_sleep(this: "Round") -> None:
    worker = this.instance.put_to_sleep()
    if worker is None:
        return
    minutes = this.random.uniform(4, 20)
    this.say(f"a worker falls asleep for {minutes:.0f} minutes and more")
    this.stage.advance(timedelta(minutes=minutes))
    this.later(this.random.randint(0, 2), lambda: this.instance.wake(worker))


@weight(2)
def one_worker_more(this: "Round") -> None:
    if len(this.instance.workers) < 5:
        this.instance.start_worker()
        this.say("one worker more")


@weight(2)
def trouble_with_beat(this: "Round") -> None:
    if not this.instance.by_celery:
        return
    if this.random.random() < 0.5:
        this.instance.start_beat()
        this.say("one beat more")
    else:
        this.instance.kill_a_beat()
        this.instance.start_beat()
        this.say("beat is killed, another starts")


@weight(2)
def trouble_with_broker(this: "Round") -> None:
    if not this.instance.by_celery:
        return
    this.instance.flush_broker()
    this.say("the broker forgets everything")


@weight(1)
def duplicate_tasks(this: "Round") -> None:
    if not this.instance.by_celery:
        return

    def send() -> None:
        app.conf.task_always_eager = False
        for _ in range(5):
            tasks.deliver_due.apply_async()
            for account in this.accounts:
                tasks.deliver_account.apply_async((account.pk,))

    this.stage.child("duplicate tasks", send).wait()
    this.say("each task is queued five times")


# --- Database ------------------------------------------------------------------------------------


@weight(1)
def crash_database(this: "Round") -> None:
    if connection.vendor == "postgresql":
        this.stage.databases.crash()
        this.stage.kills += 1
        this.say("PostgreSQL crashes and comes back")


@weight(2)
def hold_a_lock(this: "Round") -> None:
    """SQLite's only one, PostgreSQL's of the accounts' rows: longer than anybody waits."""

    def hold() -> None:
        with transaction.atomic():
            list(GmailAccount.objects.select_for_update())
            time.sleep(TOO_LONG_SECONDS)

    holder = this.stage.child("somebody with a lock", hold)
    this.say(f"a lock is held for {TOO_LONG_SECONDS} seconds")
    if this.random.random() < 0.3:
        holder.wait()
    else:
        this.later(2, holder.join)


@weight(2)
def fill_the_disk(this: "Round") -> None:
    this.stage.disk.fill()
    this.say("the disk is full")
    this.later(this.random.randint(0, 2), this.stage.disk.empty)


# --- Gmail ---------------------------------------------------------------------------------------


@weight(5)
def gmail_fails(this: "Round") -> None:
    chosen = [_gmail_fault(this.random) for _ in range(this.random.randint(1, 3))]
    this.stage.gmail.control(faults=chosen)
    this.say(f"Gmail fails: {chosen}")


def _gmail_fault(dice: random.Random) -> dict[str, object]:
    kind = dice.choice(["reply", "drop", "drop", "hang", "login", "connect", "recipient", "limit"])
    times = dice.randint(1, 3)
    if kind == "reply":
        return {"where": dice.choice(PLACES), "reply": dice.choice(SAYS_NO), "times": times}
    if kind == "drop":
        return {"where": dice.choice(PLACES), "drop": True, "times": times}
    if kind == "hang":
        return {"where": dice.choice(PLACES), "hang": TOO_LONG_SECONDS, "times": 1}
    if kind == "login":
        return {"where": "auth", "reply": dice.choice(LOGIN_SAYS_NO), "times": 1}
    if kind == "connect":
        return {"where": "connect", "drop": True, "times": times}
    if kind == "limit":
        where = dice.choice(["data", "dot"])
        return {"where": where, "reply": "550 5.4.5 Daily user sending limit exceeded", "times": 1}
    return {"where": "rcpt", "reply": "550 5.1.1 The email account does not exist", "times": times}


@weight(1)
def gmail_ends_sessions(this: "Round") -> None:
    this.stage.gmail.control(end_sessions="smtp")
    this.say("Gmail ends all sessions")


# --- People --------------------------------------------------------------------------------------


@weight(2)
def pause_and_resume(this: "Round") -> None:
    campaign = this.random.choice(this.campaigns)

    def act(move: Callable[[int], object]) -> None:
        with suppress(control.NotPossible):
            move(campaign.pk)

    move = this.random.choice([control.pause, control.resume])
    this.as_person(f"{move.__name__}s campaign {campaign.pk}", lambda: act(move))


@weight(0.3)
def cancel(this: "Round") -> None:
    campaign = this.random.choice(this.campaigns)

    def act() -> None:
        with suppress(control.NotPossible):
            control.cancel(campaign.pk)

    this.as_person(f"cancels campaign {campaign.pk}", act)


@weight(1)
def opt_out(this: "Round") -> None:
    workspace = this.accounts[0].workspace_id
    _, address = this.random.choice(sorted(this.people, key=str))
    this.suppressed.add(address)

    def act() -> None:
        Suppression.objects.get_or_create(workspace_id=workspace, email_key=address)

    this.as_person(f"opts {address} out", act)


@weight(1)
def single_mail(this: "Round") -> None:
    account = this.random.choice(this.accounts)
    this.write_single(account)
