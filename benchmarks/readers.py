"""Readers side by side who ask for pages, each as fast as it is answered, over a kept connection.

    python -m benchmarks.readers PORT READERS SECONDS METHOD < paths

Prints requests a second and the seconds in which 99 of 100 were answered, or fails on an answer
that is no 200.
"""

import http.client
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

PATIENCE = 30


def main() -> None:
    port, readers, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    method = sys.argv[4]
    paths = sys.stdin.read().split()
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(readers) as pool:
        shares = [paths[number::readers] for number in range(readers)]
        found = list(pool.map(lambda share: read(port, method, share, until), shares))
    took = sorted(one for share in found for one in share)
    sys.stdout.write(f"{len(took) / seconds} {took[len(took) * 99 // 100]}\n")


def read(port: int, method: str, paths: list[str], until: float) -> list[float]:
    """The seconds that each answer took."""
    took = []
    connection = http.client.HTTPConnection("localhost", port, timeout=PATIENCE)
    for path in cycle(paths):
        began = time.monotonic()
        if began >= until:
            break
        connection.request(method, path, headers={"Content-Length": "0"})
        response = connection.getresponse()
        response.read()
        if response.status != http.HTTPStatus.OK:
            raise RuntimeError(f"{method} {path} was answered with {response.status}.")
        took.append(time.monotonic() - began)
    return took


if __name__ == "__main__":
    main()
