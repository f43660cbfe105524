# mypy: allow-untyped-calls
"""The plain HTTP side: who is answered, which handler answers, and with which headers.

Every handler takes a ``Call`` and returns an ``Answer``. Only requests whose Host is this machine
are answered, so that a foreign page cannot reach in by a name that it points here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlsplit

from twisted.logger import Logger
from twisted.web.http import datetimeToString
from twisted.web.resource import Resource
from twisted.web.server import Request

from practice.clock import Clock

LOOPBACK_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::[0-9]{1,5})?\Z", re.IGNORECASE)
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
OWN_FORMS_ONLY = "; form-action 'self'"

log = Logger()


@dataclass(frozen=True)
class Call:
    """One HTTP request. ``parts`` are what the route's pattern captured from the path."""

    method: str
    host: str
    query: dict[str, str]
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes
    parts: tuple[str, ...] = ()

    @property
    def form(self) -> dict[str, str]:
        """The last value of each field of a posted form."""
        return dict(self.form_pairs)

    @property
    def form_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether a browser says that another site's page sent this."""
        origin = self.headers.get("origin")
        return origin is not None and origin.lower() != f"http://{self.host}".lower()


@dataclass
class Answer:
    """``headers`` replace the ones that every answer gets."""

    body: bytes
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    method: str
    path: str
    handler: Handler


def plain(sentence: str, status: int) -> Answer:
    return Answer(f"{sentence}\n".encode(), status, "text/plain; charset=utf-8")


class Root(Resource):
    """Hands each request to the first route that fits."""

    isLeaf = True

    def __init__(self, routes: Iterable[Route], clock: Clock) -> None:
        super().__init__()
        self._routes = [(route, re.compile(route.path + r"\Z")) for route in routes]
        self._clock = clock

    def render(self, request: Request) -> bytes:
        try:
            answer = self._answer(request)
        except Exception:  # noqa: BLE001 - one bad request must not look like a dead server
            log.failure("A request failed")
            answer = plain("The practice Gmail failed at this. Its log says why.", 500)
        headers = {
            "Content-Type": answer.content_type,
            "Content-Security-Policy": PAGE_POLICY + OWN_FORMS_ONLY,
            "Cross-Origin-Resource-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
            # With no-referrer browsers would call the origin of our own forms null.
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
            # Clients take it as a witness of the time, so it is the practice clock's.
            "Date": datetimeToString(self._clock.now().timestamp()).decode(),
            "Server": "practice",
            **answer.headers,
        }
        request.setResponseCode(answer.status)
        for name, value in headers.items():
            request.setHeader(name, value)
        request.setHeader("Content-Length", str(len(answer.body)))
        return b"" if request.method == b"HEAD" else answer.body

    def _answer(self, request: Request) -> Answer:
        host = request.getHeader("host") or ""
        if not LOOPBACK_HOST.match(host):
            return plain("The practice Gmail answers only to 127.0.0.1 and localhost.", 400)
        method = "GET" if request.method == b"HEAD" else request.method.decode("ascii", "replace")
        target = urlsplit(request.uri.decode("ascii", "replace"))
        known_path = False
        for route, pattern in self._routes:
            if match := pattern.match(target.path):
                known_path = True
                if route.method == method:
                    return route.handler(_call(request, method, host, target.query, match.groups()))
        if known_path:
            return plain("This address does not take that method.", 405)
        return plain("There is no such page here.", 404)


def _call(request: Request, method: str, host: str, query: str, parts: tuple[str, ...]) -> Call:
    headers = {
        name.decode("ascii", "replace").lower(): values[-1].decode("utf-8", "replace")
        for name, values in request.requestHeaders.getAllRawHeaders()
    }
    return Call(
        method=method,
        host=host,
        query=dict(parse_qsl(query, keep_blank_values=True)),
        headers=headers,
        cookies=_cookies(headers.get("cookie", "")),
        body=request.content.read() if request.content else b"",
        parts=parts,
    )


def _cookies(header: str) -> dict[str, str]:
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
