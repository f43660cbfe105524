"""A server that takes mail over SMTP under TLS and keeps none of it, `latency` before each reply.

    python -m benchmarks.sink CERTIFICATES LATENCY TAKEN

Makes a certificate in the folder CERTIFICATES (`ca.pem` is its root), prints its port once it
listens on loopback, and writes a line `MOMENT SENDER` to the file TAKEN for each message it took.
It refuses nothing. Beside it, at the second port that it prints, plain HTTP is answered with what
time it is, as Google's token endpoint does for whoever doubts the clock.
"""

import asyncio
import ssl
import sys
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from pathlib import Path
from typing import TextIO

from practice.certificates import ensure_certificates

OFFERS = b"250-sink.example\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 AUTH PLAIN\r\n"
ANSWERS = {
    b"EHLO": OFFERS,
    b"AUTH": b"235 2.7.0 Accepted\r\n",
    b"MAIL": b"250 2.1.0 OK\r\n",
    b"RCPT": b"250 2.1.5 OK\r\n",
    b"RSET": b"250 2.0.0 OK\r\n",
    b"DATA": b"354 Go ahead\r\n",
    b"QUIT": b"221 2.0.0 Bye\r\n",
}
END = b"\r\n.\r\n"


class Sink:
    def __init__(self, latency: float, taken: TextIO) -> None:
        self._latency = latency
        self._taken = taken

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def answer(reply: bytes) -> None:
            await asyncio.sleep(self._latency)
            writer.write(reply)

        try:
            await answer(b"220 sink.example ESMTP\r\n")
            await self._talk(reader, answer)
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass  # hung up on
        finally:
            writer.close()

    async def _talk(
        self, reader: asyncio.StreamReader, answer: Callable[[bytes], Awaitable[None]]
    ) -> None:
        sender, verb = "", b""
        while verb != b"QUIT":
            line = await reader.readuntil(b"\r\n")
            verb = line[:4].upper()
            if verb == b"MAIL":
                sender = line.partition(b"<")[2].partition(b">")[0].decode()
            await answer(ANSWERS.get(verb, b"502 5.5.1 Unknown\r\n"))
            if verb == b"DATA":
                await reader.readuntil(END)
                self._taken.write(f"{time.time():.3f} {sender}\n")
                await answer(b"250 2.0.0 OK\r\n")


async def tell_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    answer = f"HTTP/1.1 400 Bad Request\r\nDate: {formatdate(usegmt=True)}\r\n"
    writer.write(f"{answer}Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
    writer.close()


async def main(certificates: Path, latency: float, taken: Path) -> None:
    ensure_certificates(certificates)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
    with taken.open("a", buffering=1) as file:
        sink = Sink(latency, file)
        server = await asyncio.start_server(
            sink.serve, "127.0.0.1", 0, ssl=context, backlog=1000, limit=1_000_000
        )
        clock = await asyncio.start_server(tell_time, "127.0.0.1", 0)
        for each in (server, clock):
            sys.stdout.write(f"{each.sockets[0].getsockname()[1]}\n")
        sys.stdout.flush()
        async with server:
            await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3])))
