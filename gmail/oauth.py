"""Google's consent, and the tokens that come of it, by google-auth-oauthlib.

https://developers.google.com/identity/protocols/oauth2/web-server
"""

import contextlib
import io
import logging
import os
import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2.rfc6749 import errors as oauth2
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from gmail.endpoints import Endpoints, is_loopback
from gmail.errors import (
    ClientRefused,
    ConsentRefused,
    GrantRevoked,
    MailboxUnknown,
    RefreshTokenMissing,
    ScopeMissing,
    StateMismatch,
    Unreachable,
)

MAIL_SCOPE = "https://mail.google.com/"
SCOPES = (MAIL_SCOPE, "openid", "email")
# Google answers the short name by the long one.
_ALIASES = {"https://www.googleapis.com/auth/userinfo.email": "email"}
# In seconds, for a whole answer.
_TIMEOUT = 30
# In octets. Google's answers have a few thousand.
_LONGEST_ANSWER = 1_000_000

# At DEBUG these two write tokens and the client's secret into the log.
for _talkative in ("requests_oauthlib", "oauthlib"):
    logging.getLogger(_talkative).setLevel(logging.INFO)


@dataclass(frozen=True)
class Consent:
    """Where to send the person, and what must be remembered until the answer, once."""

    url: str
    state: str = field(repr=False)
    code_verifier: str = field(repr=False)


@dataclass(frozen=True)
class AccessToken:
    """`expires_in` is in seconds from the answer."""

    token: str = field(repr=False)
    expires_in: int


@dataclass(frozen=True)
class Grant:
    """What a consent gives: access to the mailbox `address` until it is revoked."""

    refresh_token: str = field(repr=False)
    access_token: str = field(repr=False)
    expires_in: int
    scopes: tuple[str, ...]
    address: str


def consent_url(endpoints: Endpoints, redirect_uri: str, login_hint: str | None = None) -> Consent:
    """The address of Google's consent page, with PKCE (RFC 7636) and a fresh state."""
    flow = _flow(endpoints, scopes=SCOPES, redirect_uri=redirect_uri)
    further = {"login_hint": login_hint} if login_hint else {}
    with _requests_allowed(endpoints):
        # Without prompt=consent a second consent brings no refresh token.
        url, state = flow.authorization_url(access_type="offline", prompt="consent", **further)
    return Consent(url, state, flow.code_verifier)


def exchange(
    endpoints: Endpoints,
    redirect_uri: str,
    state: str,
    code_verifier: str,
    authorization_response_url: str,
) -> Grant:
    """Turn the address that the browser came back with into a grant.

    Raises StateMismatch, ConsentRefused, GrantRevoked (a code that is used or too old),
    ClientRefused, ScopeMissing, RefreshTokenMissing, MailboxUnknown or Unreachable.
    """
    # Without scopes: Google names them differently than it was asked, and oauthlib takes any
    # difference for an error. What was granted is checked below.
    flow = _flow(
        endpoints,
        scopes=None,
        redirect_uri=redirect_uri,
        state=state,
        code_verifier=code_verifier,
    )
    with _requests_allowed(endpoints), _typed_errors():
        token = flow.fetch_token(
            authorization_response=_as_https(authorization_response_url),
            include_client_id=True,
            timeout=_TIMEOUT,
        )
        scopes = _granted(token)
        address = _mailbox(flow.oauth2session, endpoints)
    if "refresh_token" not in token:
        raise RefreshTokenMissing("Google gave no refresh token.")
    return Grant(token["refresh_token"], token["access_token"], _seconds(token), scopes, address)


def refresh(endpoints: Endpoints, refresh_token: str, timeout: float = _TIMEOUT) -> AccessToken:
    """A new access token. `timeout`, in seconds, holds for the whole of it.

    Raises GrantRevoked, ClientRefused or Unreachable.
    """
    session = _flow(endpoints, scopes=None).oauth2session
    with _requests_allowed(endpoints), _typed_errors():
        token = session.refresh_token(
            endpoints.token_uri,
            refresh_token=refresh_token,
            client_id=endpoints.client_id,
            client_secret=endpoints.client_secret,
            timeout=timeout,
        )
    return AccessToken(token["access_token"], _seconds(token))


def check_client(endpoints: Endpoints) -> None:
    """Ask Google whether client id and secret belong together. Raises ClientRefused, Unreachable.

    Google judges the client first: a refresh token that never was is refused as such
    (`invalid_grant`) only for a client that it knows.
    """
    with contextlib.suppress(GrantRevoked):
        refresh(endpoints, "1//no-such-token")


def google_time(endpoints: Endpoints, timeout: float) -> datetime:
    """What time Google has, in whole seconds: the Date of the token endpoint's answer.

    `timeout`, in seconds, holds for the whole answer. Raises Unreachable.
    """
    _check_is_private(endpoints.token_uri)
    with _typed_errors(), requests.Session() as session:
        _trust(session, endpoints)
        answer = session.get(endpoints.token_uri, timeout=timeout, allow_redirects=False)
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError as err:
        raise Unreachable("Google's answer does not say what time it is.") from err


def revoke(endpoints: Endpoints, token: str) -> None:
    """Take the whole grant back. One that is gone already is no error. Raises Unreachable.

    https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
    """
    _check_is_private(endpoints.revoke_uri)
    with _typed_errors(), requests.Session() as session:
        _trust(session, endpoints)
        answer = session.post(endpoints.revoke_uri, data={"token": token}, timeout=_TIMEOUT)
    if answer.status_code not in (200, 400):
        raise Unreachable(f"Google answered {answer.status_code}.")


def _check_is_private(uri: str) -> None:
    """Raises Unreachable for an address that others on the way could read or answer for."""
    if not uri.startswith("https://") and not _is_http_here(uri):
        raise Unreachable("Google's addresses must begin with https.")


def _flow(endpoints: Endpoints, scopes: tuple[str, ...] | None, **further: Any) -> Flow:
    client = {
        "client_id": endpoints.client_id,
        "client_secret": endpoints.client_secret,
        "auth_uri": endpoints.auth_uri,
        "token_uri": endpoints.token_uri,
    }
    flow = Flow.from_client_config({"web": client}, scopes=scopes, **further)
    _trust(flow.oauth2session, endpoints)
    return flow


def _granted(token: dict[str, Any]) -> tuple[str, ...]:
    """The scopes of a token answer by their short names. Raises ScopeMissing.

    An answer without scopes grants what was asked for (RFC 6749 section 5.1).
    """
    scopes = tuple(_ALIASES.get(scope, scope) for scope in token.get("scope") or SCOPES)
    missing = tuple(scope for scope in SCOPES if scope not in scopes)
    if missing:
        raise ScopeMissing(missing)
    return scopes


def _mailbox(session: requests.Session, endpoints: Endpoints) -> str:
    """Whose consent it is, from userinfo. Raises MailboxUnknown."""
    answer = session.get(endpoints.userinfo_uri, timeout=_TIMEOUT)
    if answer.status_code != 200:
        raise Unreachable(f"Google answered {answer.status_code}.")
    try:
        address = answer.json().get("email", "")
    except (ValueError, AttributeError) as err:
        raise MailboxUnknown("Google's answer could not be read.") from err
    if not isinstance(address, str) or "@" not in address:
        raise MailboxUnknown("Google did not name the mailbox.")
    return address


def _seconds(token: dict[str, Any]) -> int:
    return int(token.get("expires_in", 0))


def _as_https(url: str) -> str:
    """oauthlib reads a redirect only from https; Google redirects to http on this machine too.

    Nothing is sent to this address: it is only read.
    """
    return urlsplit(url)._replace(scheme="https").geturl()


@contextlib.contextmanager
def _typed_errors() -> Iterator[None]:
    """Google's and the network's errors as ours.

    The causes are left out on purpose: some carry the request, and so a secret.
    """
    try:
        yield
    except oauth2.MismatchingStateError:
        raise StateMismatch("The answer does not belong to the question.") from None
    except oauth2.InvalidGrantError as err:
        raise GrantRevoked(err.description or "invalid_grant") from None
    except (oauth2.InvalidClientError, oauth2.UnauthorizedClientError) as err:
        raise ClientRefused(err.description or err.error) from None
    except oauth2.AccessDeniedError:
        raise ConsentRefused("access_denied") from None
    except oauth2.MissingCodeError:
        raise StateMismatch("The answer holds no code.") from None
    except oauth2.InsecureTransportError:
        raise Unreachable("Google's addresses must begin with https.") from None
    except oauth2.OAuth2Error as err:
        raise _other_refusal(err) from None
    except requests.Timeout:
        raise Unreachable("Google did not answer in time.") from None
    except requests.exceptions.SSLError:
        raise Unreachable("Google's certificate is not trusted.") from None
    except requests.RequestException:
        raise Unreachable("Google could not be reached.") from None


def _other_refusal(err: oauth2.OAuth2Error) -> ClientRefused | ConsentRefused | Unreachable:
    """What oauthlib has no class of its own for, by the `error` of the answer."""
    if err.error in ("redirect_uri_mismatch", "deleted_client", "disabled_client"):
        return ClientRefused(err.error)
    if err.error in ("admin_policy_enforced", "org_internal", "interaction_required"):
        return ConsentRefused(err.error)
    return Unreachable(f"Google's answer could not be used ({err.error}).")


_Outcome = requests.Response | requests.RequestException


class _Adapter(HTTPAdapter):
    """Trusts what the mail servers' connections trust: the system's roots and `ca_file`.

    And `timeout` is for the whole answer here: by itself it holds for each read, and a server that
    sends an octet now and then would never be done.
    """

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints = endpoints
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # Apart from that of mail: requests adds its own roots to what it is given.
        kwargs["ssl_context"] = self._endpoints.shared_ssl_context("https")
        super().init_poolmanager(*args, **kwargs)

    def send(
        self, request: requests.PreparedRequest, *args: Any, **kwargs: Any
    ) -> requests.Response:
        """Asked in a thread, a daemon, which is left to itself when the time is over."""
        told: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        ask = threading.Thread(
            target=self._ask,
            args=(told, request, *args),
            kwargs=kwargs,
            name=f"asks {urlsplit(request.url or '').hostname}",
            daemon=True,
        )
        ask.start()
        try:
            outcome = told.get(timeout=kwargs.get("timeout") or _TIMEOUT)
        except queue.Empty:
            raise requests.Timeout("The answer did not come to an end.") from None
        if isinstance(outcome, requests.RequestException):
            raise outcome
        return outcome

    def _ask(
        self,
        told: queue.SimpleQueue[_Outcome],
        request: requests.PreparedRequest,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        outcome: _Outcome = requests.ConnectionError("The answer broke off.")
        try:
            answer = super().send(request, *args, **kwargs)
            body = answer.raw.read(_LONGEST_ANSWER, decode_content=True)
            answer.close()
            answer.raw = io.BytesIO(body)
            outcome = answer
        except requests.RequestException as err:
            outcome = err
        except (HTTPError, OSError):
            pass  # in the middle of the body
        finally:
            told.put(outcome)


def _trust(session: requests.Session, endpoints: Endpoints) -> None:
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(endpoints))
    # A proxy leads out into the world; a stand-in is here.
    session.trust_env = not endpoints.on_this_machine


_INSECURE = "OAUTHLIB_INSECURE_TRANSPORT"
_environment = threading.Lock()
_inside = 0


@contextlib.contextmanager
def _requests_allowed(endpoints: Endpoints) -> Iterator[None]:
    """Lets oauthlib speak plain http with a stand-in on this machine, and with nobody else.

    oauthlib knows only a variable of the whole process for this. It is set while a call is under
    way of which every address is of this machine; others are held to https here, not by oauthlib.
    """
    called = (endpoints.auth_uri, endpoints.token_uri, endpoints.userinfo_uri)
    for uri in called:
        _check_is_private(uri)
    if not any(_is_http_here(uri) for uri in called):
        yield
        return
    _count_in(1)
    try:
        yield
    finally:
        _count_in(-1)


def _count_in(more: int) -> None:
    """Several accounts may ask at once: the last one out takes it away."""
    global _inside
    with _environment:
        _inside += more
        if _inside:
            os.environ[_INSECURE] = "1"
        else:
            os.environ.pop(_INSECURE, None)


def _is_http_here(uri: str) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "http" and is_loopback(parts.hostname or "")
