"""The physical limit: as many sessions side by side, fixed bytes, and nothing is looked up.

    python -m benchmarks.plain_senders CA_FILE PORT SESSIONS SECONDS

Prints how many messages a second were accepted.
"""

import asyncio
import ssl
import sys
import time

BODY = b"Subject: Hello\r\n\r\n" + b"A line of text, and so on.\r\n" * 60
WARM_UP = 3
STEPS = (b"MAIL FROM:<plain@gmail.com>\r\n", b"RCPT TO:<to@example.org>\r\n", b"DATA\r\n")


async def send(begin: float, end: float, context: ssl.SSLContext, port: int) -> int:
    """Messages that were begun between the two moments; log-ins are over by then."""
    reader, writer = await asyncio.open_connection("localhost", port, ssl=context)
    await reader.readline()
    for opening in (b"EHLO [127.0.0.1]\r\n", b"AUTH PLAIN AGEAYg==\r\n"):
        writer.write(opening)
        while (await reader.readline())[3:4] == b"-":
            pass
    accepted = 0
    while (now := time.monotonic()) < end:
        for step in (*STEPS, BODY + b".\r\n"):
            writer.write(step)
            await reader.readline()
        accepted += now >= begin
    writer.close()
    return accepted


async def rate(ca_file: str, port: int, sessions: int, seconds: float) -> float:
    context = ssl.create_default_context(cafile=ca_file)
    begin = time.monotonic() + WARM_UP
    end = begin + seconds
    counts = await asyncio.gather(*(send(begin, end, context, port) for _ in range(sessions)))
    return sum(counts) / seconds


if __name__ == "__main__":
    _, ca_file, port, sessions, seconds = sys.argv
    found = asyncio.run(rate(ca_file, int(port), int(sessions), float(seconds)))
    sys.stdout.write(f"{found}\n")
