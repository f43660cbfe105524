"""The line under an SMTP session: TLS, one command out, one reply in, and every way it can break.

smtplib connects and parses. It raises the same exception for a line that broke and for one that
was never there, so here each failure carries the phase in which it happened.
"""

from __future__ import annotations

import contextlib
import smtplib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Literal

from gmail.endpoints import Endpoints
from gmail.errors import ConnectionLost, Temporary, Unreachable
from gmail.replies import Phase, Reply, parse_reply

Security = Literal["ssl", "starttls"]

# What EHLO calls us. An address literal that tells nobody the machine's name or place.
_OUR_NAME = "[127.0.0.1]"


class SmtpLine:
    """A connection on which EHLO was said under TLS. `timeout`, in seconds, holds for each wait."""

    def __init__(self, endpoints: Endpoints, security: Security, timeout: float) -> None:
        """Raises Unreachable, Temporary or ConnectionLost; then nothing is left open."""
        self._endpoints = endpoints
        self._timeout = timeout
        self._smtp = self._connect(security)
        try:
            self._send_at_once()
            self._say_ehlo()
            if security == "starttls":
                self._start_tls()
                self._say_ehlo()
        except BaseException:
            self.drop()
            raise

    @property
    def alive(self) -> bool:
        return self._smtp.sock is not None

    def offers(self, extension: str) -> bool:
        """Whether the server's EHLO answer names this extension."""
        return self._smtp.has_extn(extension)

    def ask(self, phase: Phase, command: str) -> Reply:
        """Give one command line and read its reply. Raises ConnectionLost."""
        self.give(phase, f"{command}\r\n".encode())
        return self.read_reply(phase)

    def give(self, phase: Phase, data: bytes) -> None:
        """Give `data` to the socket, whole. Raises ConnectionLost; a part may have left then."""
        if self._smtp.sock is None:
            raise ConnectionLost(phase)
        try:
            self._smtp.sock.sendall(data)
        except OSError as err:
            raise ConnectionLost(phase) from err

    def read_reply(self, phase: Phase) -> Reply:
        """Wait for a whole reply. Raises ConnectionLost, also for what is no reply."""
        return self._exchange(phase, self._smtp.getreply)

    def waiting_reply(self, phase: Phase) -> Reply | None:
        """The reply that came without being asked for, if any; does not wait for one to begin.

        Raises ConnectionLost when the server has hung up. Only for use under TLS, where having
        nothing to read and having reached the end can be told apart.
        """
        sock = self._smtp.sock
        if sock is None:
            raise ConnectionLost(phase)
        if self._smtp.file is None:
            self._smtp.file = sock.makefile("rb")
        sock.settimeout(0)
        try:
            begun = self._smtp.file.peek(1)
        except ssl.SSLWantReadError:
            return None
        except OSError as err:
            self.drop()
            raise ConnectionLost(phase) from err
        finally:
            sock.settimeout(self._timeout)
        if not begun:
            self.drop()
            raise ConnectionLost(phase)
        return self.read_reply(phase)

    def drop(self) -> None:
        """End the connection at once; what the kernel still holds to be sent is thrown away."""
        if self._smtp.sock is not None:
            with contextlib.suppress(OSError):
                linger_for_no_time = struct.pack("ii", 1, 0)
                self._smtp.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
        self.hang_up()

    def hang_up(self) -> None:
        """Close the connection in the usual way, without QUIT."""
        self._smtp.close()

    def _connect(self, security: Security) -> smtplib.SMTP:
        endpoints = self._endpoints
        try:
            if security == "ssl":
                return smtplib.SMTP_SSL(
                    endpoints.smtp_host,
                    endpoints.smtp_ssl_port,
                    local_hostname=_OUR_NAME,
                    timeout=self._timeout,
                    context=endpoints.shared_ssl_context(),
                )
            return smtplib.SMTP(
                endpoints.smtp_host,
                endpoints.smtp_starttls_port,
                local_hostname=_OUR_NAME,
                timeout=self._timeout,
            )
        except smtplib.SMTPConnectError as err:
            raise Temporary(str(_as_reply(err))) from err
        except smtplib.SMTPException as err:
            # Of the greeting: the line broke, or nothing came, or nothing was said.
            if isinstance(err.__context__, OSError):
                raise Unreachable.because(endpoints.smtp_host, err.__context__) from err
            raise Unreachable(f"{endpoints.smtp_host} hung up without a greeting.") from err
        except OSError as err:
            raise Unreachable.because(endpoints.smtp_host, err) from err

    def _send_at_once(self) -> None:
        """The dot follows the body in a packet of its own. By default the system would hold it
        until the body is acknowledged, which the other side puts off for some 40 ms (RFC 896)."""
        if self._smtp.sock is not None:
            self._smtp.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _say_ehlo(self) -> None:
        reply = self._exchange(Phase.EHLO, self._smtp.ehlo)
        if reply.code != 250:
            raise Temporary(str(reply))

    def _start_tls(self) -> None:
        """Nothing but EHLO was said before, and what the server offered then is forgotten."""
        if not self.offers("starttls"):
            raise Unreachable(f"{self._endpoints.smtp_host} does not offer STARTTLS.")
        reply = self.ask(Phase.STARTTLS, "STARTTLS")
        if reply.code != 220:
            raise Temporary(str(reply))
        plain = self._smtp.sock
        if plain is None:
            raise ConnectionLost(Phase.STARTTLS)
        try:
            self._smtp.sock = self._endpoints.shared_ssl_context().wrap_socket(
                plain, server_hostname=self._endpoints.smtp_host
            )
        except OSError as err:
            raise Unreachable.because(self._endpoints.smtp_host, err) from err
        # What came unasked before TLS is thrown away with the old buffer (RFC 3207 section 4.2).
        if self._smtp.file is not None:
            self._smtp.file.close()
            self._smtp.file = None

    def _exchange(self, phase: Phase, exchange: Callable[[], tuple[int, bytes]]) -> Reply:
        if self._smtp.sock is None:
            raise ConnectionLost(phase)
        try:
            code, message = exchange()
        except (smtplib.SMTPException, OSError) as err:
            self.drop()
            raise ConnectionLost(phase) from err
        if not 200 <= code <= 599:
            self.drop()
            raise ConnectionLost(phase)
        return parse_reply(code, message)


def _as_reply(err: smtplib.SMTPResponseException) -> Reply:
    message = err.smtp_error
    return parse_reply(err.smtp_code, message if isinstance(message, bytes) else message.encode())
