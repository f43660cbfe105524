"""Ports of this machine: whether all of some can be listened on, and some that can."""

import os
import random
import socket
from collections.abc import Iterable
from contextlib import ExitStack

# Below the ports that systems give to outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000
TRIES = 1_000

Address = tuple[str, int]


class PortUnusable(Exception):
    """The port `number` cannot be listened on, because of `reason`."""

    def __init__(self, number: int, reason: str) -> None:
        super().__init__(f"Port {number} cannot be used ({reason}).")
        self.number = number


def try_all(addresses: Iterable[Address]) -> None:
    """Listen on all of them at the same time, for a moment. Raises PortUnusable."""
    with ExitStack() as sockets:
        for host, number in addresses:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            try:
                sockets.enter_context(socket.create_server((host, number), family=family))
            except OSError as error:
                raise PortUnusable(number, os.strerror(error.errno or 0)) from error


def find_free(count: int, host: str = "127.0.0.1") -> int:
    """The first of `count` ports in a row on which nothing listens now."""
    for _ in range(TRIES):
        first = random.randrange(LOWEST, HIGHEST)  # noqa: S311  not a secret
        try:
            try_all((host, first + offset) for offset in range(count))
        except PortUnusable:
            continue
        return first
    raise PortUnusable(LOWEST, "no free ports were found")
