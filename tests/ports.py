"""Ports for the servers that tests start."""

import random
import socket
from contextlib import ExitStack

# Below those that the system gives to outgoing connections.
LOWEST, HIGHEST = 20_000, 32_000


def free_ports(count: int) -> tuple[int, int]:
    """The first two of `count` ports in a row on which nothing listens."""
    for _ in range(1_000):
        first = random.randrange(LOWEST, HIGHEST)
        with ExitStack() as sockets:
            try:
                for port in range(first, first + count):
                    sockets.enter_context(socket.create_server(("127.0.0.1", port)))
            except OSError:
                continue
            return first, first + 1
    raise RuntimeError("No free ports.")
