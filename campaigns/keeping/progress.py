"""How far a long backup or restore has come, for whoever waits for it."""

import time

from django.core.management.base import OutputWrapper

# Short work says nothing; long work says something now and then.
SECONDS = 2.0


class Lines:
    """Writes at most a line every two seconds, beside the answer: on standard error."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._said_at = time.monotonic()

    def __call__(self, sentence: str) -> None:
        if time.monotonic() - self._said_at >= SECONDS:
            self._said_at = time.monotonic()
            self._out.write(sentence)
