"""Messages claimed a second in one process, by handfuls as the sender claims them.

    python -m benchmarks.claim

`limit` is as many transactions that lock an account's row and write a row, one for each message,
and do nothing else. From the environment: SECONDS (10).
"""

import itertools
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


def rate(once: Callable[[int], int]) -> float:
    """How many messages a second `once` does, by turns for each account."""
    from django.utils import timezone

    from accounts.models import GmailAccount
    from campaigns.delivery.claim import take_account

    accounts = list(GmailAccount.objects.values_list("pk", flat=True))
    for account in accounts:
        take_account(account, "benchmark", timezone.now())
    turns = itertools.cycle(accounts)
    done, began = 0, time.monotonic()
    while time.monotonic() - began < SECONDS:
        done += once(next(turns))
    return done / (time.monotonic() - began)


def claim(account: int) -> int:
    from django.utils import timezone

    from campaigns.delivery.claim import HANDFUL, claim_next

    claims = claim_next(account, "benchmark", timezone.now(), HANDFUL)
    if not isinstance(claims, list):
        raise RuntimeError("Nothing was left to claim: more messages are needed.")
    return len(claims)


def lock_and_write(account: int) -> int:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM accounts_gmailaccount WHERE id = %s FOR UPDATE", [account])
        cursor.execute(
            "INSERT INTO accounts_ledgerrow (account_id, source, recipients, state, reserved_at)"
            " VALUES (%s, 'campaign', 1, 'void', now())",
            [account],
        )
    return 1


if __name__ == "__main__":
    main()
