"""Claims a second in one process: what a message costs the database before it is sent.

    python -m benchmarks.claim

`limit` is the same number of transactions that lock an account's row and write one row, and do
nothing else. From the environment: SECONDS (10).
"""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import peak_mb, tell
from benchmarks.instance import Instance
from benchmarks.rows import fill

ACCOUNTS = 20
WAITING = 450
SECONDS = float(os.environ.get("SECONDS", "10"))
DB = "postgres"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="daypost-bench-") as folder,
        Instance(Path(folder), latency=0),
    ):
        fill(ACCOUNTS, WAITING)
        limit = rate(lock_and_write)
        tell("claim", rate(claim), "claims/s", db=DB, limit=limit, peak_mb=peak_mb([os.getpid()]))


def rate(once: Callable[[int], None]) -> float:
    """How often a second `once` can be done, by turns for each account."""
    from django.utils import timezone

    from accounts.models import GmailAccount
    from campaigns.delivery.claim import take_account

    accounts = list(GmailAccount.objects.values_list("pk", flat=True))
    for account in accounts:
        take_account(account, "benchmark", timezone.now())
    done, began = 0, time.monotonic()
    while time.monotonic() - began < SECONDS:
        once(accounts[done % len(accounts)])
        done += 1
    return done / (time.monotonic() - began)


def claim(account: int) -> None:
    from django.utils import timezone

    from campaigns.delivery.claim import Claim, claim_next

    if not isinstance(claim_next(account, "benchmark", timezone.now()), Claim):
        raise RuntimeError("Nothing was left to claim: more messages are needed.")


def lock_and_write(account: int) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_gmailaccount WHERE id = %s FOR UPDATE", [account])
        cursor.execute(
            "INSERT INTO accounts_ledgerrow (account_id, source, recipients, state, reserved_at)"
            " VALUES (%s, 'campaign', 1, 'void', now())",
            [account],
        )


if __name__ == "__main__":
    main()
