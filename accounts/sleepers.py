"""A process that lies still within a transaction keeps its locks, and others wait for them.

Suspended, stopped, or cut off from the network, it need not ever go on; and a worker that takes
back what it has left waits for the very row that it holds. So PostgreSQL ends such a session: the
locks are free, and whoever wakes up finds the connection gone and nothing committed.

SQLite cannot: there others find the database locked until the process wakes up or ends.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver

# No transaction waits for the network, and no step of one works so long without the database.
LONGEST_SECONDS = 60


@receiver(connection_created)
def let_go_of_sleepers(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            milliseconds = [LONGEST_SECONDS * 1000]
            cursor.execute("SET idle_in_transaction_session_timeout = %s", milliseconds)
