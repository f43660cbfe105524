"""A server that says exactly what a test wants, where the practice Gmail is too well-behaved.

The script is a list of steps, each done in turn for one connection: `b"..."` is sent, `read` takes
one line, `read_until(end)` takes all up to `end`, `hang_up` closes. What was read is kept.
"""

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from gmail.endpoints import Endpoints
from practice.certificates import ensure_certificates

GREETING = b"220 smtp.example ESMTP\r\n"
EHLO = b"250-smtp.example\r\n250-8BITMIME\r\n250 AUTH PLAIN XOAUTH2\r\n"
WELCOME = b"235 2.7.0 Accepted\r\n"
OK = b"250 2.1.0 OK\r\n"
GO_AHEAD = b"354 Go ahead\r\n"

Step = bytes | Callable[["Peer"], None]


class Peer:
    """One side of the conversation, as seen by the server."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.heard = b""

    def take(self, end: bytes) -> None:
        waiting = b""
        while end not in waiting:
            piece = self.connection.recv(65_536)
            if not piece:
                break
            waiting += piece
            self.heard += piece


def read(peer: Peer) -> None:
    peer.take(b"\r\n")


def read_until(end: bytes) -> Step:
    return lambda peer: peer.take(end)


def hang_up(peer: Peer) -> None:
    peer.connection.close()


def start_tls(directory: Path) -> Step:
    def step(peer: Peer) -> None:
        peer.connection = _context(directory).wrap_socket(peer.connection, server_side=True)

    return step


def logged_in() -> list[Step]:
    """Up to the accepted password, under TLS from the start."""
    return [GREETING, read, EHLO, read, WELCOME]


class ScriptedServer:
    """Serves one connection by the script; `heard` is all that the client said."""

    def __init__(self, directory: Path, script: Sequence[Step], *, tls: bool = True) -> None:
        ensure_certificates(directory)
        self._directory = directory
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self._peer: Peer | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.wait()

    def wait(self) -> None:
        self._thread.join(15)
        assert not self._thread.is_alive()
        self._listener.close()

    @property
    def heard(self) -> bytes:
        """Nothing, when TLS never began."""
        return self._peer.heard if self._peer is not None else b""

    def endpoints(self, like: Endpoints) -> Endpoints:
        port = self._listener.getsockname()[1]
        return replace(
            like,
            smtp_host="127.0.0.1",
            smtp_ssl_port=port,
            smtp_starttls_port=port,
            imap_host="127.0.0.1",
            imap_port=port,
            pop_host="127.0.0.1",
            pop_port=port,
            ca_file=str(self._directory / "ca.pem"),
        )

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        connection.settimeout(10)
        try:
            if self._tls:
                connection = _context(self._directory).wrap_socket(connection, server_side=True)
            self._peer = Peer(connection)
            for step in self._script:
                if isinstance(step, bytes):
                    self._peer.connection.sendall(step)
                else:
                    step(self._peer)
            self._peer.take(b"never said, so this reads to the end")
        except OSError:
            pass  # the client hung up, which is what many a test is about
        finally:
            if self._peer is not None:
                self._peer.connection.close()
            connection.close()


def _context(directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    return context
