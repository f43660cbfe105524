"""The page to unsubscribe, asked for as fast as it is answered, while a campaign is being sent.

    python -m benchmarks.page

On PostgreSQL and Redis, with web server, worker and beat as the `Procfile` starts them; readers,
database, broker and the server that takes the mail share the machine. From the environment:
ACCOUNTS (1) with a campaign of WAITING (2000) each, LATENCY in seconds (0.3), READERS (8) and
SECONDS for each figure (15).
"""

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from urllib.error import URLError

from benchmarks.figures import cpu_seconds, family, peak_mb, tell
from benchmarks.instance import REPOSITORY, START_SECONDS, Instance
from benchmarks.rows import fill, look_at_clocks
from config.ports import find_free

ACCOUNTS = int(os.environ.get("ACCOUNTS", "1"))
WAITING = int(os.environ.get("WAITING", "2000"))
LATENCY = float(os.environ.get("LATENCY", "0.3"))
READERS = int(os.environ.get("READERS", "8"))
SECONDS = float(os.environ.get("SECONDS", "15"))
NONCE = "0" * 32
DB = "postgres"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="daypost-bench-") as folder,
        Instance(Path(folder), LATENCY) as instance,
    ):
        port = find_free(1)
        os.environ["PORT"] = str(port)
        os.environ["PUBLIC_URL"] = f"http://localhost:{port}"
        fill(ACCOUNTS, WAITING)
        look_at_clocks()
        paths = paths_to_leave()
        with ExitStack() as parts:
            for name in ("web", "worker", "beat"):
                parts.enter_context(instance.part(name))
            wait_until_answered(port)
            instance.wait_for_the_first()
            measure(instance, port, paths)


def paths_to_leave() -> list[str]:
    """Of half of all messages, which then have been sent; the others wait."""
    from django.db import connection
    from django.db.models import OuterRef, Subquery

    from campaigns import tokens
    from campaigns.models import CampaignAccount, Message

    account = CampaignAccount.objects.filter(campaign=OuterRef("campaign")).values("account")
    last = Message.objects.order_by("-id").values("pk")[: ACCOUNTS * WAITING // 2]
    half = Message.objects.filter(pk__in=last)
    half.update(state=Message.State.SENT, account=Subquery(account))
    ids = list(half.values_list("pk", flat=True))
    connection.close()
    return [f"/u/{tokens.make(tokens.Purpose.LEAVE, pk)}" for pk in ids]


def measure(instance: Instance, port: int, paths: list[str]) -> None:
    since = time.time()
    limit, _slowest = asked("GET", port, [f"/reachable/{NONCE}"] * READERS)
    web, database = family(instance.pids["web"][0]), family(instance.postmaster)
    used = cpu_seconds(web), cpu_seconds(database)
    pages, slow_page = asked("GET", port, paths)
    answered = max(pages * SECONDS, 1)
    used = cpu_seconds(web) - used[0], cpu_seconds(database) - used[1]
    posts, slow_post = asked("POST", port, paths)
    seconds = time.time() - since
    memory = peak_mb(web)
    tell("page_unsubscribe", pages, "requests/s", db=DB, limit=limit, peak_mb=memory)
    tell("page_unsubscribe_slow", 1000 * slow_page, "ms", db=DB)
    tell("page_unsubscribe_cpu_of_web", 1000 * used[0] / answered, "ms/request", db=DB)
    tell("page_unsubscribe_cpu_of_database", 1000 * used[1] / answered, "ms/request", db=DB)
    tell("page_unsubscribe_post", posts, "requests/s", db=DB, limit=limit)
    tell("page_unsubscribe_post_slow", 1000 * slow_post, "ms", db=DB)
    sent = len(instance.taken_since(since)) / seconds
    tell("page_unsubscribe_sent_meanwhile", sent, "messages/s", db=DB)


def asked(method: str, port: int, paths: list[str]) -> tuple[float, float]:
    """Requests a second, and the seconds in which 99 of 100 were answered."""
    arguments = (port, READERS, SECONDS, method)
    command = [sys.executable, "-m", "benchmarks.readers", *map(str, arguments)]
    done = subprocess.run(  # noqa: S603  ours
        command,
        cwd=REPOSITORY,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        input="\n".join(paths),
    )
    rate, slow = done.stdout.split()
    return float(rate), float(slow)


def wait_until_answered(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://localhost:{port}/reachable/{NONCE}")
            return
        except URLError:
            time.sleep(0.2)
    raise TimeoutError("The web server does not answer.")


if __name__ == "__main__":
    main()
