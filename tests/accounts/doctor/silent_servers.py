"""Servers that take a connection and then try one's patience."""

import contextlib
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def port_that_never_answers() -> Iterator[int]:
    """The kernel takes connections for it, nobody says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextlib.contextmanager
def port_that_trickles() -> Iterator[int]:
    """Its greeting goes on and on, a line at a time, until this is left."""
    over = threading.Event()

    def greet(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while not over.wait(0.05):
                connection.sendall(b"220-still greeting\r\n")

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=greet, args=(connection,), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        wait_for_probes()


def wait_for_probes() -> None:
    """Those that a server held up end once it is gone."""
    for thread in threading.enumerate():
        if thread.name.startswith("doctor "):
            thread.join(15)
            assert not thread.is_alive(), thread.name
