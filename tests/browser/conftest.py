"""The running app and a real browser.

`page` and `owner_page` are on the instance of this module and fail their test on any error in the
console (refusals of the content security policy stand there too), any script that throws, and any
request to a host that is not this instance or its practice Gmail.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    ConsoleMessage,
    Page,
    Request,
    StorageState,
    sync_playwright,
)

from tests.browser import chromium
from tests.browser.live_instance import LiveInstance
from tests.browser.looks import DESKTOP
from tests.browser.owner import log_in, make_owner

TIMEOUT_MS = 15_000


@pytest.fixture(scope="module")
def parts() -> Sequence[str]:
    """Those of the `Procfile` that the instance starts; none is all of them.

    A module whose pages send and import nothing needs the web server only, and says so.
    """
    return ()


@pytest.fixture(scope="module")
def live_instance(request: pytest.FixtureRequest, parts: Sequence[str]) -> Iterator[LiveInstance]:
    """A fresh instance, with nobody signed up, on the database that was asked for."""
    on_postgres = request.config.getoption("database") == "postgres"
    # Not pytest's own folder: the path of a Unix socket must be short.
    with (
        TemporaryDirectory(dir=os.environ["DAYPOST_TEST_FOLDER"], prefix="live-") as folder,
        LiveInstance(Path(folder), on_postgres=on_postgres, parts=parts) as instance,
    ):
        yield instance


@pytest.fixture(scope="module")
def owned_instance(live_instance: LiveInstance) -> LiveInstance:
    """The instance, with one person who owns its one workspace."""
    make_owner(live_instance)
    return live_instance


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
def page(browser: Browser, live_instance: LiveInstance) -> Iterator[Page]:
    """In front of the log-in."""
    with watched_page(browser, live_instance) as page:
        yield page


@pytest.fixture(scope="module")
def logged_in(browser: Browser, owned_instance: LiveInstance) -> StorageState:
    """The cookies of the owner, who logs in once for the whole module."""
    with watched_page(browser, owned_instance) as page:
        log_in(page)
        return page.context.storage_state()


@pytest.fixture
def owner_page(
    browser: Browser, owned_instance: LiveInstance, logged_in: StorageState
) -> Iterator[Page]:
    """Of the owner, logged in: at the dashboard after `goto("")`."""
    with watched_page(browser, owned_instance, logged_in) as page:
        yield page


@contextmanager
def watched_page(
    browser: Browser, instance: LiveInstance, storage_state: StorageState | None = None
) -> Iterator[Page]:
    """A page on a desktop, light, that must have nothing to complain about in the end."""
    with browser.new_context(
        base_url=instance.url,
        viewport=DESKTOP,
        color_scheme="light",
        reduced_motion="reduce",
        storage_state=storage_state,
    ) as context:
        context.set_default_timeout(TIMEOUT_MS)
        complaints: list[str] = []
        ours = {urlsplit(instance.url).port, urlsplit(instance.practice_url).port}

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
