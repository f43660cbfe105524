"""How a figure is told, and what processes have used."""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def tell(
    name: str,
    value: float,
    unit: str,
    *,
    db: str,
    limit: float | None = None,
    peak_mb: float | None = None,
) -> None:
    """One JSON object on a line; `limit` is the physical limit measured in the same run."""
    ratio = None if not limit else round(value / limit, 3)
    found = {
        "name": name,
        "value": round(value, 3),
        "unit": unit,
        "limit": None if limit is None else round(limit, 3),
        "ratio": ratio,
        "db": db,
        "peak_mb": None if peak_mb is None else round(peak_mb, 1),
    }
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time that the processes, and those of theirs that have ended, used so far."""
    return sum(_cpu_ticks(pid) for pid in pids) / TICKS_A_SECOND


def peak_mb(pids: Iterable[int]) -> float:
    """The most memory that the processes held at any moment, added up (shared pages too)."""
    return sum(_status(pid, "VmHWM") for pid in pids) / 1024


def family(pid: int) -> list[int]:
    """The process and all that it has started."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def _cpu_ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # it has ended
    # Of their own, and of children that were waited for: a connection is a process of PostgreSQL.
    return sum(int(ticks) for ticks in fields[11:15])


def _status(pid: int, name: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
