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


def look_at_clocks() -> None:
    """Ask once for each account what time it is, as is done of an instance that runs once an hour.

    Asks the server that `GOOGLE_TOKEN_URI` names; after `fill`.
    """
    from django.db import connection

    from accounts.clock.watch import Answers, look
    from accounts.models import GmailAccount

    answers = Answers()
    for account in GmailAccount.objects.order_by("id"):
        look(account, answers)
    connection.close()
