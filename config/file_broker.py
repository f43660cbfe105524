"""A Celery broker that needs no server: kombu's filesystem transport, with messages written whole.

As shipped the transport writes a message in place, so a worker that polls at the wrong moment
reads half of it and dies. Here a message appears under its queue's name only when it is complete.
"""

import os
import uuid
from pathlib import Path
from time import monotonic_ns
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        name = f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        finished = Path(self.data_folder_out) / name
        draft = finished.with_suffix(".draft")
        with draft.open("w") as file:
            file.write(dumps(message))
            file.flush()
            os.fsync(file.fileno())
        draft.rename(finished)


class Transport(filesystem.Transport):
    Channel = Channel
