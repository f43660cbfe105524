"""Celery tasks of a few lines: each wakes one function, and may be lost or run twice.

They carry an id at most. One that sends carries none: whose turn it is, the database says when a
thread is free, so that it matters to nobody which of them were lost, or are many.
"""

from typing import Any

from celery import shared_task
from celery.signals import worker_shutting_down
from django.utils import timezone

from accounts import generation
from accounts.clock import rules, watch
from accounts.doctor import check_ups
from campaigns import check_up as doctor
from campaigns import reachable
from campaigns.contacts import importer
from campaigns.delivery import recovery, restored, schedule, sent_search
from campaigns.delivery.sender import Tally
from campaigns.inbound import fetch
from campaigns.inbound import schedule as inbound_schedule
from campaigns.keeping import retention

# A wake-up that waited longer has been repeated by the next tick. Until when it is good is written
# down by the clock of one machine and read by that of another.
EXPIRES_SECONDS = 30 + 2 * rules.AT_MOST_OFF.total_seconds()
# How often it is looked who waits for a turn; who finds no free thread meanwhile is found again.
TICK_SECONDS = 5
# Who has had a turn wakes the next, so these are only for threads that are free. More of them would
# wait in vain until they expire, and be in the way of those that are wanted.
MOST_WAKE_UPS = 20


@worker_shutting_down.connect
def stop_between_messages(**kwargs: Any) -> None:
    schedule.stopping.set()


@shared_task
def deliver_due() -> None:
    if not watch.look_around():
        return
    now = timezone.now()
    generation.look(now)
    recovery.recover(now)
    for _ in schedule.line(now).values_list("pk")[:MOST_WAKE_UPS]:
        deliver_next.apply_async(expires=TICK_SECONDS)


@shared_task
def deliver_next() -> None:
    if schedule.send_next() != Tally():
        deliver_next.apply_async(expires=TICK_SECONDS)


@shared_task
def resolve_doubts() -> None:
    if not watch.look_around():
        return
    for account_id in sent_search.due_accounts(timezone.now()):
        search_sent.apply_async((account_id,), expires=EXPIRES_SECONDS)


@shared_task
def search_sent(account_id: int) -> None:
    sent_search.search(account_id)


@shared_task
def read_what_came() -> None:
    for account_id in inbound_schedule.due(timezone.now()):
        read_mailbox.apply_async((account_id,), expires=EXPIRES_SECONDS)


@shared_task
def read_mailbox(account_id: int) -> None:
    fetch.read(account_id, timezone.now())


@shared_task
def resume_restored() -> None:
    if not watch.look_around():
        return
    now = timezone.now()
    for account_id in restored.due(now):
        look_for_what_left.apply_async((account_id,), expires=EXPIRES_SECONDS)
    restored.let_go(now)


@shared_task
def look_for_what_left(account_id: int) -> None:
    restored.look(account_id, timezone.now())


@shared_task
def resume_imports() -> None:
    for import_id in importer.due(timezone.now()):
        run_import.apply_async((import_id,), expires=EXPIRES_SECONDS)


@shared_task
def run_import(import_id: int) -> None:
    importer.run(import_id, keep_going=lambda: not schedule.stopping.is_set())


@shared_task
def resume_check_ups() -> None:
    for account_id in check_ups.due(timezone.now()):
        check_up.apply_async((account_id,), expires=EXPIRES_SECONDS)


@shared_task
def check_up(account_id: int) -> None:
    doctor.run(account_id, keep_going=lambda: not schedule.stopping.is_set())


@shared_task
def tidy() -> None:
    if not watch.look_around():
        return
    retention.tidy(timezone.now())


@shared_task
def look_at_public_address() -> None:
    reachable.look_when_due(timezone.now())
