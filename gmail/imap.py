r"""One IMAP session with Gmail, for reading only: nobody's mail turns read, moves or goes.

A folder is only ever EXAMINEd and a message only PEEKed at, so that no flag changes (RFC 3501
sections 6.3.2 and 6.4.5). Folders are known by their flags (RFC 6154), never by their names, which
follow the person's language.

IMAPClient connects, speaks and parses; here each failure becomes one of ours.
"""

from __future__ import annotations

import contextlib
import logging
import re
import socket
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from imapclient import IMAPClient
from imapclient.datetime_util import format_criteria_date
from imapclient.exceptions import (
    IMAPClientAbortError,
    IMAPClientError,
    LoginError,
    ProtocolError,
)

from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, SessionEnded, Temporary, Unreachable
from gmail.login import Login
from gmail.replies import reading_refusal

# https://developers.google.com/workspace/gmail/imap/imap-extensions
_GMAIL_EXTENSION = "X-GM-EXT-1"
# imaplib gives up on lines over a million octets, and the answer to a search is one line.
_UIDS_A_SEARCH = 50_000
_HEADERS_A_FETCH = 200
# What is safe within Gmail's search language, where spaces, quotes and brackets mean something.
_ORDINARY_ID = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`~@:\[\]-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# What the library makes of an answer that makes no sense.
_NONSENSE = (ValueError, TypeError, LookupError, AttributeError, OverflowError)

# At INFO it tells of every connection that it closes, at DEBUG the content of mail.
logging.getLogger("imapclient").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Folders:
    """The names of an account's folders, as the server calls them. None: not shown in IMAP."""

    inbox: str
    sent: str | None
    all_mail: str | None
    junk: str | None
    trash: str | None


@dataclass(frozen=True)
class Selected:
    """The folder that is being read. `uid_next` is 0 where the server does not foretell it.

    A UID names a message for good, as long as `uid_validity` stays the same.
    """

    folder: str
    uid_validity: int
    uid_next: int
    messages: int


@dataclass(frozen=True)
class Dated:
    """When a message came into the mailbox, by the server's clock, and lines of its header.

    `received` is its INTERNALDATE (RFC 3501 section 2.3.3), in whole seconds.
    """

    received: datetime
    header: bytes


class ImapSession:
    """A logged-in connection that reads.

    Every method may raise SessionEnded, after which a new session carries on where this one
    stopped, or Temporary when the server said no to this one request.
    """

    def __init__(self, client: IMAPClient) -> None:
        self._client = client
        # Or the library makes moments without a zone of what the server says.
        self._client.normalise_times = False
        self._alive = True
        self._selected: Selected | None = None
        self.offers_gmail_search = False

    @classmethod
    def open(
        cls,
        endpoints: Endpoints,
        *,
        address: str,
        access_token: str | None = None,
        app_password: str | None = None,
        timeout: float = 60,
    ) -> ImapSession:
        """Connect under TLS and log in, by an OAuth access token or by an app password.

        `timeout`, in seconds, holds for each wait on the network, here and later. Raises
        Unreachable, Temporary or AuthRefused; then nothing is left open.
        """
        login = Login.by(address, access_token=access_token, app_password=app_password)
        session = cls(_connect(endpoints, timeout))
        try:
            _log_in(session._client, login)
            with session._typed_errors():
                session.offers_gmail_search = session._client.has_capability(_GMAIL_EXTENSION)
        except BaseException as err:
            session._drop()
            if isinstance(err, SessionEnded):
                raise Unreachable(f"{endpoints.imap_host}: {err}") from err
            raise
        return session

    @property
    def alive(self) -> bool:
        """Whether something can be asked, as far as this side has heard."""
        return self._alive

    def folders(self) -> Folders:
        with self._typed_errors():
            listed = self._client.list_folders()
        return _by_flags(listed)

    def examine(self, folder: str) -> Selected:
        """Read this folder from now on."""
        with self._typed_errors():
            answer = self._client.select_folder(folder, readonly=True)
            self._selected = Selected(
                folder,
                uid_validity=answer[b"UIDVALIDITY"],
                uid_next=answer.get(b"UIDNEXT", 0),
                messages=answer[b"EXISTS"],
            )
        return self._selected

    def find(self, message_id: str) -> list[int]:
        """The UIDs of the messages of this folder that bear `message_id`, with or without <>."""
        bare = message_id.strip().removeprefix("<").removesuffix(">")
        if not bare or _CONTROL.search(bare):
            return []  # no header can say it, and in a command it could say something else
        if self.offers_gmail_search and _ORDINARY_ID.fullmatch(bare):
            return self._search(f'X-GM-RAW "rfc822msgid:<{bare}>"')
        if bare.isascii():
            return self._search(f"HEADER MESSAGE-ID {_quoted(f'<{bare}>')}")
        # IMAPClient sends what is not ASCII as a literal, with its length: it needs no quotes.
        return self._search(["HEADER", "MESSAGE-ID", f"<{bare}>".encode()], charset="UTF-8")

    def uids_after(self, uid: int, since: date | None = None) -> list[int]:
        """The UIDs of this folder that are greater than `uid`, in ascending order.

        With `since`, only of what came into the mailbox on that day or later. Which day that is,
        each server decides in a zone of its own (RFC 3501 section 6.4.4).
        """
        also = f" SINCE {format_criteria_date(since).decode()}" if since else ""
        found: list[int] = []
        first = uid + 1
        uid_next = self._selected.uid_next if self._selected else 0
        while first + _UIDS_A_SEARCH < uid_next:
            found += self._search(f"UID {first}:{first + _UIDS_A_SEARCH - 1}{also}")
            first += _UIDS_A_SEARCH
        found += self._search(f"UID {first}:*{also}")
        # "n:*" always names the last message, even where that comes before n.
        return sorted({each for each in found if each > uid})

    def headers(self, uids: Sequence[int]) -> dict[int, bytes]:
        """Each message's header, its bytes as they came; a message that is gone is left out."""
        found: dict[int, bytes] = {}
        for start in range(0, len(uids), _HEADERS_A_FETCH):
            some = uids[start : start + _HEADERS_A_FETCH]
            found |= self._fetch(some, "BODY.PEEK[HEADER]", b"BODY[HEADER]")
        return found

    def dated(
        self, uids: Sequence[int], fields: Sequence[str], at_most: int | None = None
    ) -> dict[int, Dated]:
        """When each message came, and its header's lines of these `fields`; not those gone.

        With `at_most`, so many octets of them.
        """
        found: dict[int, Dated] = {}
        part = "" if at_most is None else f"<0.{at_most}>"
        items = ["INTERNALDATE", f"BODY.PEEK[HEADER.FIELDS ({' '.join(fields)})]{part}"]
        for start in range(0, len(uids), _HEADERS_A_FETCH):
            with self._typed_errors():
                fetched = self._client.fetch(uids[start : start + _HEADERS_A_FETCH], items)
                found |= {uid: dated for uid, said in fetched.items() if (dated := _dated(said))}
        return found

    def message(self, uid: int, at_most: int) -> bytes:
        """The first `at_most` octets of a message; empty when it is gone."""
        fetched = self._fetch([uid], f"BODY.PEEK[]<0.{at_most}>", b"BODY[]<0>")
        return fetched.get(uid, b"")

    def close(self) -> None:
        """Say LOGOUT and hang up. Never raises."""
        if self._alive:
            with contextlib.suppress(SessionEnded, Temporary), self._typed_errors():
                self._client.logout()
        self._drop()

    def _search(self, criteria: str | list[str | bytes], charset: str | None = None) -> list[int]:
        with self._typed_errors():
            return list(self._client.search(criteria, charset))

    def _fetch(self, uids: Sequence[int], item: str, key: bytes) -> dict[int, bytes]:
        """What the server tells without being asked, like a flag that changed, is left out."""
        with self._typed_errors():
            fetched = self._client.fetch(uids, [item])
            return {uid: bytes(said[key] or b"") for uid, said in fetched.items() if key in said}

    def _drop(self) -> None:
        self._alive = False
        with contextlib.suppress(OSError):
            self._client.shutdown()

    @contextlib.contextmanager
    def _typed_errors(self) -> Iterator[None]:
        """A `NO` or `BAD` as Temporary; whatever else goes wrong ends the session."""
        if not self._alive:
            raise SessionEnded("The session is over.")
        try:
            yield
        except (IMAPClientAbortError, OSError) as err:
            self._drop()
            raise SessionEnded(f"The session ended: {err}") from err
        except (ProtocolError, *_NONSENSE) as err:
            self._drop()
            raise SessionEnded("The server's answer made no sense.") from err
        except IMAPClientError as err:
            raise Temporary(str(err)) from err
        except BaseException:
            # Interrupted: a late answer must not be taken for the next one's.
            self._drop()
            raise


def _connect(endpoints: Endpoints, timeout: float) -> IMAPClient:
    """A connection on which the server greeted us under TLS."""
    host = endpoints.imap_host
    try:
        client = IMAPClient(
            host,
            endpoints.imap_port,
            ssl_context=endpoints.shared_ssl_context(),
            timeout=timeout,
        )
        # The library writes a command in pieces; none shall wait until the last is acknowledged.
        client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client
    except OSError as err:
        raise Unreachable.because(host, err) from err
    except (IMAPClientAbortError, *_NONSENSE) as err:
        raise Unreachable(f"{host} did not greet as a mail server does.") from err
    except IMAPClientError as err:
        raise Temporary(_greeting(err)) from err


def _greeting(err: IMAPClientError) -> str:
    """The greeting of a server that did not want us: a BYE."""
    said = err.args[0]
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _log_in(client: IMAPClient, login: Login) -> None:
    """IMAPClient's own `oauth2_login` answers the reason of a refusal by the token again.

    Nothing is raised while the library's error is at hand: it may hold what the server quoted.
    """
    try:
        client.sasl_login(login.mechanism, login.answer)
        return
    except LoginError as err:
        said = login.without_secrets(str(err))
        # A LoginError is made of any other, also of a line that broke.
        broken = isinstance(err.__context__, IMAPClientAbortError)
    except (OSError, *_NONSENSE) as err:
        said = login.without_secrets(str(err))
        broken = True
    if broken:
        raise SessionEnded(f"The line was lost while logging in: {said}")
    why = reading_refusal(said)
    if why is None:
        raise Temporary(said)
    raise AuthRefused(why, said)


def _by_flags(listed: list[tuple[tuple[bytes, ...], bytes, str]]) -> Folders:
    """Folders from flags, delimiter and name of each."""
    names: dict[bytes, str] = {}
    for flags, _, name in listed:
        known = {flag.lower() for flag in flags}
        if not known & {b"\\noselect", b"\\nonexistent"}:
            for flag in known:
                names.setdefault(flag, name)
    return Folders(
        inbox="INBOX",
        sent=names.get(b"\\sent"),
        all_mail=names.get(b"\\all"),
        junk=names.get(b"\\junk"),
        trash=names.get(b"\\trash"),
    )


def _dated(said: dict[bytes, Any]) -> Dated | None:
    """From what was fetched of a message. How the fields are written is up to the server."""
    header = next((said[key] for key in said if key.startswith(b"BODY[HEADER.FIELDS")), None)
    received = said.get(b"INTERNALDATE")
    if header is None or received is None:
        return None  # told without being asked, like a flag that changed
    return Dated(received.astimezone(UTC), bytes(header))


def _quoted(text: str) -> str:
    """A quoted string (RFC 3501 section 4.3)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
