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


HTTP_HEADER = b"HTTP/1.1 200 OK\r\nX-Pad: "


@contextlib.contextmanager
def port_that_trickles(
    begin: bytes = b"", go_on: bytes = b"220-still greeting\r\n"
) -> Iterator[int]:
    """What it says goes on and on, a little at a time, until this is left."""
    over = threading.Event()

    def greet(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.sendall(begin)
            while not over.wait(0.05):
                connection.sendall(go_on)

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
    """Those that a server held up end once it is gone, and so do questions to Google."""
    for thread in threading.enumerate():
        if thread.name.startswith(("doctor ", "asks ")):
            thread.join(15)
            assert not thread.is_alive(), thread.name
