"""Stands between a session and a server, hears both, and cuts the line where it is told to.

It ends the TLS of both sides, so that it can count lines: one listener for each conversation, all
of them in one thread.

    with CuttingProxy(tmp_path, "127.0.0.1", port, ca_file) as proxy:
        with proxy.conversation(Cut("server", 3, "reset")) as talk:
            ...  # connect to talk.port, trusting proxy.ca_file
        talk.lines  # what was said, as far as it was passed on
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from practice.certificates import ensure_certificates

Side = Literal["client", "server"]
# The line ends in order, or in the middle of a word and without the farewell of TLS, or is reset;
# or it stays, and nothing is heard any more.
How = Literal["close", "half", "reset", "silence"]
HOST = "127.0.0.1"
# Once the client has lost the line, the server has so long to come to its own end, in seconds.
AFTERMATH = 10


@dataclass(frozen=True)
class Cut:
    """Before the `line`-th line of `side` (the first is 1) would be passed on."""

    side: Side
    line: int
    how: How

    def __str__(self) -> str:
        return f"{self.how} before line {self.line} of the {self.side}"


@dataclass
class Conversation:
    """`lines` holds what was passed on of what each side said."""

    port: int
    lines: list[tuple[Side, bytes]] = field(default_factory=list)

    def said_by(self, side: Side) -> list[bytes]:
        return [line for speaker, line in self.lines if speaker == side]


class _CutNowError(Exception):
    def __init__(self, line: bytes) -> None:
        self.line = line


class CuttingProxy:
    def __init__(self, directory: Path, host: str, port: int, ca_file: str) -> None:
        """`directory` is for its certificates; the server is at `host` and `port`."""
        ensure_certificates(directory)
        self.ca_file = str(directory / "ca.pem")
        self._server = (host, port)
        self._as_server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._as_server.load_cert_chain(directory / "server.pem", directory / "server.key")
        self._as_client = ssl.create_default_context(cafile=ca_file)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> CuttingProxy:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        assert not self._thread.is_alive()
        self._loop.close()

    @contextlib.contextmanager
    def conversation(self, cut: Cut | None = None) -> Iterator[Conversation]:
        """A port for one connection; after the block it is over on both sides."""
        listener = socket.create_server((HOST, 0))
        # Lines are passed on one by one; none shall wait until the last is acknowledged.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        talk = Conversation(listener.getsockname()[1])
        serving = asyncio.run_coroutine_threadsafe(self._serve(listener, talk, cut), self._loop)
        try:
            yield talk
        finally:
            serving.result(2 * AFTERMATH)

    async def _serve(self, listener: socket.socket, talk: Conversation, cut: Cut | None) -> None:
        met = asyncio.get_running_loop().create_future()

        async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            met.set_result((reader, writer))
            await done.wait()

        done = asyncio.Event()
        server = await asyncio.start_server(
            meet, sock=listener, ssl=self._as_server, ssl_shutdown_timeout=1, limit=2**20
        )
        async with server:
            client = await asyncio.wait_for(met, AFTERMATH)
            upstream = await asyncio.open_connection(
                *self._server, ssl=self._as_client, ssl_shutdown_timeout=1, limit=2**20
            )
            try:
                await _pass_on(client, upstream, talk, cut)
            finally:
                done.set()
                await _end(upstream)
                await _end(client)


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _pass_on(client: Ends, upstream: Ends, talk: Conversation, cut: Cut | None) -> None:
    """Until either side hangs up, or the cut."""
    pumps = {
        asyncio.create_task(_pump(client[0], upstream[1], "client", talk, cut)): upstream,
        asyncio.create_task(_pump(upstream[0], client[1], "server", talk, cut)): client,
    }
    ended, going_on = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    for pump in going_on:
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError):
            await pump
    for pump in ended:
        error = pump.exception()
        if isinstance(error, _CutNowError) and cut is not None:
            await _cut(client, pumps[pump], error.line, cut)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    side: Side,
    talk: Conversation,
    cut: Cut | None,
) -> None:
    count = 0
    with contextlib.suppress(OSError):
        while line := await reader.readline():
            count += 1
            if cut is not None and (side, count) == (cut.side, cut.line):
                raise _CutNowError(line)
            talk.lines.append((side, line))
            writer.write(line)
            await writer.drain()


async def _cut(client: Ends, listener: Ends, line: bytes, cut: Cut) -> None:
    """`listener` is the side that would have heard `line`."""
    reader, writer = client
    if cut.how == "silence":
        # The client shall have had enough by itself: where it waits for ever, TimeoutError tells.
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await asyncio.wait_for(reader.read(), AFTERMATH)
    elif cut.how == "close":
        writer.close()
    elif cut.how == "reset":
        _reset(writer)
    else:
        listener[1].write(line[: len(line) // 2])
        with contextlib.suppress(OSError):
            await listener[1].drain()
        writer.transport.abort()


def _reset(writer: asyncio.StreamWriter) -> None:
    linger_for_no_time = struct.pack("ii", 1, 0)
    plain: Any = writer.get_extra_info("socket")
    if plain is not None:  # the client has not hung up already
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_for_no_time)
    writer.transport.abort()


async def _end(ends: Ends) -> None:
    """Hang up, and wait until the other side has."""
    reader, writer = ends
    writer.close()
    with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        await asyncio.wait_for(reader.read(), AFTERMATH)
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), AFTERMATH)
