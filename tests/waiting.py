"""For tests of two that are at the same rows at once."""

import time

from django.db import connection

SECONDS = 20


def until_somebody_waits_for_a_lock() -> None:
    """On PostgreSQL, which tells. On SQLite whoever waits is not seen: a moment must do."""
    if connection.vendor != "postgresql":
        time.sleep(0.3)
        return
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
        time.sleep(0.01)
    raise TimeoutError("Nobody waits for a lock.")
