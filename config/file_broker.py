"""A Celery broker that needs no server: kombu's filesystem transport, made safe and quick to stop.

As shipped the transport writes a message in place, so a worker that polls at the wrong moment
reads half of it and dies; and it takes a message by moving it to the system's temporary folder,
which between two file systems is a copy that two workers can make at once. Here both steps are a
rename within the queue's own folder: a message appears whole, and exactly one worker takes it.
"""

import os
import uuid
from collections import deque
from pathlib import Path
from queue import Empty
from time import time_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps, loads

# A worker looks whether it should stop between two waits for work; Celery would wait 2 seconds.
LONGEST_WAIT_SECONDS = 0.5


class Channel(filesystem.Channel):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._listed: deque[str] = deque()

    # kombu's own classes call the second argument differently.
    def _put(self, queue: str, message: Any, **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{time_ns()}_{uuid.uuid4()}.{queue}.msg"
        finished = Path(self.data_folder_out) / name
        draft = finished.with_suffix(".draft")
        with draft.open("wb") as file:
            file.write(dumps(message).encode())
            file.flush()
            os.fsync(file.fileno())
        draft.rename(finished)

    def _get(self, queue: str, timeout: float | None = None) -> Any:
        """The oldest message of `queue`, which is then gone. Raises Empty."""
        folder = Path(self.data_folder_in)
        # A listing is used up before the next is made, so that a long queue drains quickly.
        if not self._listed:
            self._listed.extend(sorted(os.listdir(folder)))
        while self._listed:
            name = self._listed.popleft()
            if name.partition(".")[2] != f"{queue}.msg":
                continue
            taken = folder / f"{name}.taken"
            try:
                (folder / name).rename(taken)
            except FileNotFoundError:
                continue  # another worker was first
            message = taken.read_bytes()
            taken.unlink()
            return loads(message)
        raise Empty


class Transport(filesystem.Transport):
    Channel = Channel

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        if timeout is not None:
            timeout = min(timeout, LONGEST_WAIT_SECONDS)
        super().drain_events(connection, timeout=timeout, **kwargs)
