"""The running app and a real browser.

`page` is on the instance of this module and fails its test on any error in the console (refusals
of the content security policy stand there too), any script that throws, and any request to a
host that is not this instance or its practice Gmail.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    sync_playwright,
)

from tests.browser import chromium
from tests.browser.live_instance import LiveInstance
from tests.browser.looks import DESKTOP

TIMEOUT_MS = 15_000


@pytest.fixture(scope="module")
def live_instance(request: pytest.FixtureRequest) -> Iterator[LiveInstance]:
    """A fresh instance, with nobody signed up, on the database that was asked for."""
    on_postgres = request.config.getoption("database") == "postgres"
    # Not pytest's own folder: the path of a Unix socket must be short.
    with (
        TemporaryDirectory(dir=os.environ["DAYPOST_TEST_FOLDER"], prefix="live-") as folder,
        LiveInstance(Path(folder), on_postgres=on_postgres) as instance,
    ):
        yield instance


# Not for the session: while it lives, Playwright's event loop runs in this thread, and Django lets
# no test that comes after it near the database.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium.find()
    assert path, "There is no browser. Run `make test`, which gets one, or set CHROME."
    with sync_playwright() as playwright:
        sandbox = os.geteuid() != 0  # Chromium refuses to make one as root
        with playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox) as browser:
            yield browser


@pytest.fixture
def viewport(request: pytest.FixtureRequest) -> ViewportSize:
    return getattr(request, "param", DESKTOP)


@pytest.fixture
def colour_scheme(request: pytest.FixtureRequest) -> str:
    return getattr(request, "param", "light")


@pytest.fixture
def page(
    browser: Browser, live_instance: LiveInstance, viewport: ViewportSize, colour_scheme: str
) -> Iterator[Page]:
    with browser.new_context(
        base_url=live_instance.url,
        viewport=viewport,
        color_scheme=colour_scheme,  # type: ignore[arg-type]
        reduced_motion="reduce",
    ) as context:
        context.set_default_timeout(TIMEOUT_MS)
        complaints: list[str] = []
        ours = {urlsplit(live_instance.url).port, urlsplit(live_instance.practice_url).port}

        def hear(message: ConsoleMessage) -> None:
            if message.type == "error":
                complaints.append(f"{message.text} ({message.location['url']})")

        def watch(request: Request) -> None:
            url = urlsplit(request.url)
            here = url.hostname in ("localhost", "127.0.0.1") and url.port in ours
            if url.scheme not in ("data", "blob") and not here:
                complaints.append(f"A request left for {request.url}")

        context.on("console", hear)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("request", watch)
        yield context.new_page()
        assert complaints == []
