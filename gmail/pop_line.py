"""The line under a POP session: TLS, one command out, one answer in (RFC 1939).

The standard library's poplib refuses lines over 2,048 octets, which real mail has, takes a bare
line feed for the end of a line, and leaves its socket open when the greeting fails.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import NamedTuple

from gmail.endpoints import Endpoints
from gmail.errors import SessionEnded, Temporary, Unreachable

_END = b"\r\n"
# In octets: what has no end must not fill the memory. Gmail takes no message over 50 MB.
_LONGEST_LINE = 1_000_000
_LONGEST_ANSWER = 100_000_000
OK = "+OK"
GO_ON = "+"
NO = "-ERR"


class Answer(NamedTuple):
    """One line. `status` is OK, GO_ON (in the middle of a login) or NO."""

    status: str
    words: str


class PopLine:
    """A connection on which the server said hello under TLS.

    `timeout`, in seconds, holds for each wait.
    """

    def __init__(self, endpoints: Endpoints, timeout: float) -> None:
        """Raises Unreachable or Temporary; then nothing is left open."""
        host = endpoints.pop_host
        self._timeout = timeout
        try:
            self._sock = _connect(endpoints, timeout)
        except OSError as err:
            raise Unreachable.because(host, err) from err
        self._file = self._sock.makefile("rb")
        self.alive = True
        try:
            greeting = self._answer()
        except SessionEnded as err:
            if isinstance(err.__cause__, OSError):
                raise Unreachable.because(host, err.__cause__) from err
            raise Unreachable(f"{host} did not greet as a mail server does.") from err
        if greeting.status == NO:
            self.drop()
            raise Temporary(greeting.words)

    def ask(self, command: str) -> Answer:
        """Give one command line and read the one line that answers it. Raises SessionEnded."""
        self._expect_silence()
        with self._typed_errors():
            self._sock.sendall(command.encode() + _END)
        return self._answer()

    def ask_for_lines(self, command: str) -> bytes:
        """Give a command whose answer has many lines; those lines, with their ends.

        Raises SessionEnded, or Temporary with the server's words where it said no.
        """
        answer = self.ask(command)
        if answer.status == NO:
            raise Temporary(answer.words)
        with self._typed_errors():
            return b"".join(self._lines())

    def drop(self) -> None:
        """Close the connection, without QUIT."""
        self.alive = False
        with contextlib.suppress(OSError):
            self._file.close()
        with contextlib.suppress(OSError):
            self._sock.close()

    def _expect_silence(self) -> None:
        """The server speaks only when it is asked: what it says by itself is a farewell."""
        with self._typed_errors():
            self._sock.settimeout(0)
            try:
                said = self._file.peek(1)
            except ssl.SSLWantReadError:
                return
            finally:
                self._sock.settimeout(self._timeout)
            raise EOFError(said.decode("utf-8", "replace").strip() or "it hung up")

    def _answer(self) -> Answer:
        with self._typed_errors():
            status, _, words = self._line().decode("utf-8", "replace").strip().partition(" ")
            if status not in (OK, GO_ON, NO):
                raise EOFError("its answer made no sense")
        return Answer(status, words)

    def _lines(self) -> Iterator[bytes]:
        """The lines up to the one that is a dot, without the dots that were put before theirs."""
        length = 0
        while (line := self._line()) != b"." + _END:
            length += len(line)
            if length > _LONGEST_ANSWER:
                raise EOFError("its answer has no end")
            yield line.removeprefix(b".")

    def _line(self) -> bytes:
        """A line with its end, whatever bare line feeds it holds."""
        pieces: list[bytes] = []
        length = 0
        while not (pieces and pieces[-1].endswith(_END)):
            piece = self._file.readline(_LONGEST_LINE)
            if not piece:
                raise EOFError("it hung up")
            pieces.append(piece)
            length += len(piece)
            if length > _LONGEST_LINE:
                raise EOFError("its line has no end")
        return b"".join(pieces)

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        if not self.alive:
            raise SessionEnded("The session is over.")
        try:
            yield
        except (OSError, EOFError) as err:
            self.drop()
            raise SessionEnded(f"The session ended: {err}") from err
        except BaseException:
            # Interrupted: a late answer must not be taken for the next one's.
            self.drop()
            raise


def _connect(endpoints: Endpoints, timeout: float) -> ssl.SSLSocket:
    plain = socket.create_connection((endpoints.pop_host, endpoints.pop_port), timeout)
    try:
        return endpoints.shared_ssl_context().wrap_socket(plain, server_hostname=endpoints.pop_host)
    except BaseException:
        plain.close()
        raise
