"""Celery tasks of a few lines: each wakes one function by an id, and may be lost or run twice."""

from celery import shared_task


@shared_task
def deliver_due() -> None: ...


@shared_task
def resume_imports() -> None: ...
