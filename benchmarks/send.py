"""A thousand connected accounts, each due, and a server that waits before each reply.

    python -m benchmarks.send

On PostgreSQL and Redis, with workers and beat as the `Procfile` starts them. All of it shares the
machine: sender, database, broker, and the server that takes the mail. From the environment:
ACCOUNTS (1000), LATENCY in seconds (0.3), WORKERS (2, one for each processor), WORKER_THREADS
(64, in each worker), WARM_UP and SECONDS to measure (15 and 150).
"""

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from benchmarks.figures import cpu_seconds, family, peak_mb, tell
from benchmarks.instance import REPOSITORY, Instance
from benchmarks.rows import fill, look_at_clocks

ACCOUNTS = int(os.environ.get("ACCOUNTS", "1000"))
WAITING = 40
LATENCY = float(os.environ.get("LATENCY", "0.3"))
WORKERS = int(os.environ.get("WORKERS", "2"))
THREADS = int(os.environ.setdefault("WORKER_THREADS", "64"))
WARM_UP = float(os.environ.get("WARM_UP", "15"))
SECONDS = float(os.environ.get("SECONDS", "150"))
LIMIT_SECONDS = 10
DB = "postgres"


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="daypost-bench-") as folder,
        Instance(Path(folder), LATENCY) as instance,
    ):
        fill(ACCOUNTS, WAITING)
        look_at_clocks()
        measure(instance, physical_limit(instance))


def physical_limit(instance: Instance) -> float:
    """Messages a second of as many sessions that do nothing but speak."""
    arguments = (instance.ca_file, instance.port, WORKERS * THREADS, LIMIT_SECONDS)
    command = [sys.executable, "-m", "benchmarks.plain_senders", *map(str, arguments)]
    done = subprocess.run(  # noqa: S603  ours
        command, cwd=REPOSITORY, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def measure(instance: Instance, limit: float) -> None:
    instance.forget_taken()
    with ExitStack() as parts:
        for name in (*["worker"] * WORKERS, "beat"):
            parts.enter_context(instance.part(name))
        began = time.time()
        instance.wait_for_the_first()
        time.sleep(WARM_UP)
        workers = instance.pids["worker"]
        everybody = family(os.getpid()) + family(instance.postmaster)
        used = cpu_seconds(workers), cpu_seconds(everybody)
        since = time.time()
        time.sleep(SECONDS)
        seconds = time.time() - since
        used = cpu_seconds(workers) - used[0], cpu_seconds(everybody) - used[1]
        memory = peak_mb(workers)
    taken = instance.taken_since(since)
    messages = len([at for at, _ in taken if at < since + seconds])
    tell("send", messages / seconds, "messages/s", db=DB, limit=limit, peak_mb=memory)
    tell("send_cpu_of_workers", 1000 * used[0] / max(messages, 1), "ms/message", db=DB)
    tell("send_cpu_of_everything", 1000 * used[1] / max(messages, 1), "ms/message", db=DB)
    tell_shares(instance.taken_since(began))


def tell_shares(taken: list[tuple[float, str]]) -> None:
    """How evenly the accounts were served, from the workers' start on."""
    served = Counter(sender for _, sender in taken)
    tell("send_accounts_served", len(served), f"of {ACCOUNTS}", db=DB)
    tell("send_most_for_an_account", max(served.values(), default=0), "messages", db=DB)
    fewest = min(served.values(), default=0) if len(served) == ACCOUNTS else 0
    tell("send_fewest_for_an_account", fewest, "messages", db=DB)


if __name__ == "__main__":
    main()
