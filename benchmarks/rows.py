"""The tables and rows of an instance to measure; Django is set up by it, after the environment."""

import django
from django.core.management import call_command


def fill(accounts: int, waiting: int) -> None:
    """Empty tables, then so many accounts, each with a campaign of so many messages."""
    django.setup()
    call_command("migrate", verbosity=0)
    from django.db import connection

    from benchmarks.crowd import make_crowd

    make_crowd(accounts, waiting)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    connection.close()
