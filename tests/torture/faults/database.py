"""The database: crashed, locked, and its disk full."""

import time
from typing import TYPE_CHECKING

from django.db import connection, transaction

from accounts.models import GmailAccount
from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

# Longer than a worker of a round waits for a lock.
TOO_LONG_SECONDS = 0.8


@weight(1.5, "PostgreSQL killed", only=("postgresql",))
def crash_database(this: "Round") -> None:
    if connection.vendor == "postgresql":
        this.stage.databases.crash()
        this.stage.kills += 1
        this.happens("PostgreSQL killed", "PostgreSQL is killed and comes back")


@weight(2, "lock held for too long")
def hold_a_lock(this: "Round") -> None:
    """SQLite's only one, PostgreSQL's of the accounts' rows: longer than anybody waits."""

    def hold() -> None:
        with transaction.atomic():
            list(GmailAccount.objects.select_for_update())
            time.sleep(TOO_LONG_SECONDS)

    holder = this.stage.child("somebody with a lock", hold)
    this.holders.append(holder)
    this.happens("lock held for too long", f"a lock is held for {TOO_LONG_SECONDS} seconds")
    if this.random.random() < 0.3:
        holder.wait()
    else:
        this.later(2, holder.join)


@weight(2, "disk full", "write refused by a full disk")
def fill_the_disk(this: "Round") -> None:
    """As the database says it: every statement that writes, and every commit."""
    this.stage.disk.fill()
    this.happens("disk full", "the disk is full")
    this.later(this.random.randint(0, 2), this.stage.disk.free)


@weight(2, "files cannot grow")
def stop_files_from_growing(this: "Round") -> None:
    """As the kernel says it, in the middle of whatever the workers are writing."""
    allowed = this.random.choice([0, this.stage.databases.log_size() + this.random.randrange(8192)])
    this.instance.limit_files(allowed)
    this.happens("files cannot grow", f"no worker's file may be larger than {allowed} bytes")
    this.later(this.random.randint(0, 2), this.instance.unlimit_files)
