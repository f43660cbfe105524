"""Consents, codes and tokens, as Google's authorization server deals in them.

Everything is kept in one file, mode 0600, so that tokens survive a restart. What differs from
Google, on purpose: there is no ``id_token`` (ask userinfo instead), S256 is the only PKCE method,
and any redirect address is welcome that Google would let a client register.
"""

import base64
import hashlib
import hmac
import json
import secrets
import string
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from practice.clock import Clock
from practice.private_files import read_json, write_private

MAIL_SCOPE = "https://mail.google.com/"
EMAIL_SCOPE = "https://www.googleapis.com/auth/userinfo.email"
PROFILE_SCOPE = "https://www.googleapis.com/auth/userinfo.profile"
SCOPES = {
    MAIL_SCOPE: "Read, compose, send and permanently delete all your email from Gmail",
    EMAIL_SCOPE: "See your primary Google Account email address",
    PROFILE_SCOPE: "See your personal info, including any you've made publicly available",
    "openid": "Associate you with your personal info on Google",
}
SCOPE_ALIASES = {"email": EMAIL_SCOPE, "profile": PROFILE_SCOPE}

CODE_LIFE = timedelta(minutes=10)
ACCESS_TOKEN_LIFE = timedelta(seconds=3600)
# Google drops the oldest refresh token of an account and client beyond this many.
MOST_REFRESH_TOKENS = 100


class OAuthRefused(Exception):
    """A refusal with OAuth's own word for it (RFC 6749 sections 4.1.2.1 and 5.2)."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status


@dataclass(frozen=True)
class Client:
    """The one client that the practice Gmail knows, as made in Google's console."""

    id: str
    secret: str


@dataclass(frozen=True)
class Request:
    """What an authorization request asks for, already checked."""

    redirect_uri: str
    scopes: tuple[str, ...]
    state: str
    code_challenge: str
    offline: bool
    prompt_consent: bool
    login_hint: str


@dataclass
class Grant:
    """One consent. All tokens of it die with it."""

    id: str
    account: str
    scopes: list[str]
    refresh_token: str = ""


@dataclass
class Code:
    grant: str
    redirect_uri: str
    code_challenge: str
    expires_at: str
    used: bool = False


@dataclass
class AccessToken:
    grant: str
    expires_at: str


@dataclass
class _Kept:
    """What the file holds. ``consented`` are the accounts that ever allowed the client."""

    grants: dict[str, Grant] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access_tokens: dict[str, AccessToken] = field(default_factory=dict)
    consented: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TokenAnswer:
    """``expires_in`` is in seconds; ``refresh_token`` is empty when none is given."""

    access_token: str
    refresh_token: str
    scopes: tuple[str, ...]
    expires_in: int


def ensure_client(path: Path) -> Client:
    """Read the client's id and secret, made at random on the first start."""
    if kept := read_json(path, missing=None):
        return Client(**kept)
    number = "".join(secrets.choice(string.digits) for _ in range(12))
    name = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(32))
    client = Client(
        id=f"{number}-{name}.apps.googleusercontent.com",
        secret=f"GOCSPX-{secrets.token_urlsafe(21)}",
    )
    write_private(path, json.dumps(asdict(client)))
    return client


class AuthorizationServer:
    """Gives codes for consents and tokens for codes, by the practice clock."""

    def __init__(self, path: Path, client: Client, clock: Clock) -> None:
        self.client = client
        self._path = path
        self._clock = clock
        self._kept = _load(path)

    def check_request(self, parameters: dict[str, str]) -> Request:
        """Judge an authorization request. Raises OAuthRefused, which must not be redirected."""
        self._check_client_id(parameters.get("client_id", ""))
        redirect_uri = parameters.get("redirect_uri", "")
        check_redirect_uri(redirect_uri)
        if parameters.get("response_type") != "code":
            raise OAuthRefused("unsupported_response_type", "The response type must be code.")
        challenge = parameters.get("code_challenge", "")
        if challenge and parameters.get("code_challenge_method") != "S256":
            raise OAuthRefused("invalid_request", "The code challenge method must be S256.")
        return Request(
            redirect_uri=redirect_uri,
            scopes=_check_scopes(parameters.get("scope", "")),
            state=parameters.get("state", ""),
            code_challenge=challenge,
            offline=parameters.get("access_type") == "offline",
            prompt_consent="consent" in parameters.get("prompt", "").split(),
            login_hint=parameters.get("login_hint", ""),
        )

    def allow(self, request: Request, account: str, scopes: tuple[str, ...]) -> str:
        """Record the person's consent to these of the requested scopes, and return the code."""
        first = account not in self._kept.consented
        grant = Grant(secrets.token_hex(8), account, list(scopes))
        if request.offline and (request.prompt_consent or first):
            grant.refresh_token = f"1//0{secrets.token_urlsafe(72)}"
        if first:
            self._kept.consented.append(account)
        self._kept.grants[grant.id] = grant
        code = f"4/0{secrets.token_urlsafe(52)}"
        expires_at = self._clock.now() + CODE_LIFE
        self._kept.codes[code] = Code(
            grant.id, request.redirect_uri, request.code_challenge, expires_at.isoformat()
        )
        self._forget_oldest_refresh_tokens(account)
        self._save()
        return code

    def check_client(self, client_id: str, client_secret: str) -> None:
        """Raises OAuthRefused unless both are the client's."""
        self._check_client_id(client_id)
        if not hmac.compare_digest(client_secret.encode(), self.client.secret.encode()):
            raise OAuthRefused("invalid_client", "The provided client secret is invalid.", 401)

    def exchange(self, code: str, redirect_uri: str, code_verifier: str) -> TokenAnswer:
        """Give tokens for a code, once. A second use takes back what the first one gave."""
        kept = self._kept.codes.get(code)
        if kept is None:
            raise OAuthRefused("invalid_grant", "Malformed auth code.")
        if kept.used:
            self._revoke(kept.grant)
            raise OAuthRefused("invalid_grant", "Bad Request")
        if self._is_past(kept.expires_at) or kept.grant not in self._kept.grants:
            raise OAuthRefused("invalid_grant", "Bad Request")
        if kept.redirect_uri != redirect_uri:
            raise OAuthRefused("redirect_uri_mismatch", "Bad Request")
        _check_verifier(kept.code_challenge, code_verifier)
        kept.used = True
        grant = self._kept.grants[kept.grant]
        return self._give_access_token(grant, with_refresh_token=True)

    def refresh(self, refresh_token: str) -> TokenAnswer:
        """Give a new access token. Raises OAuthRefused (invalid_grant) for a dead one."""
        for grant in self._kept.grants.values():
            if refresh_token and grant.refresh_token == refresh_token:
                return self._give_access_token(grant, with_refresh_token=False)
        raise OAuthRefused("invalid_grant", "Token has been expired or revoked.")

    def grant_of(self, access_token: str) -> Grant | None:
        """The consent behind an access token that is still good."""
        kept = self._kept.access_tokens.get(access_token)
        if kept is None or self._is_past(kept.expires_at):
            return None
        return self._kept.grants.get(kept.grant)

    def end_of(self, access_token: str) -> datetime:
        """When an access token that ``grant_of`` knows stops being good."""
        return datetime.fromisoformat(self._kept.access_tokens[access_token].expires_at)

    def revoke_token(self, token: str) -> None:
        """Take back the person's whole consent to the client, as Google does for any one token."""
        for grant in self._kept.grants.values():
            if token and grant.refresh_token == token:
                return self.revoke_account(grant.account)
        access_grant = self.grant_of(token)
        if access_grant is None:
            raise OAuthRefused("invalid_token", "Token expired or revoked")
        self.revoke_account(access_grant.account)

    def revoke_account(self, account: str) -> None:
        """Take back everything that the account allowed."""
        for grant in list(self._kept.grants.values()):
            if grant.account == account:
                del self._kept.grants[grant.id]
        if account in self._kept.consented:
            self._kept.consented.remove(account)
        self._save()

    def _check_client_id(self, client_id: str) -> None:
        if client_id != self.client.id:
            raise OAuthRefused("invalid_client", "The OAuth client was not found.", 401)

    def _give_access_token(self, grant: Grant, *, with_refresh_token: bool) -> TokenAnswer:
        token = f"ya29.{secrets.token_urlsafe(160)}"
        expires_at = self._clock.now() + ACCESS_TOKEN_LIFE
        self._kept.access_tokens[token] = AccessToken(grant.id, expires_at.isoformat())
        self._save()
        return TokenAnswer(
            access_token=token,
            refresh_token=grant.refresh_token if with_refresh_token else "",
            scopes=tuple(grant.scopes),
            expires_in=int(ACCESS_TOKEN_LIFE.total_seconds()),
        )

    def _revoke(self, grant_id: str) -> None:
        self._kept.grants.pop(grant_id, None)
        self._save()

    def _forget_oldest_refresh_tokens(self, account: str) -> None:
        offline = [
            grant
            for grant in self._kept.grants.values()
            if grant.account == account and grant.refresh_token
        ]
        for grant in offline[:-MOST_REFRESH_TOKENS]:
            del self._kept.grants[grant.id]

    def _is_past(self, moment: str) -> bool:
        return self._clock.now() >= datetime.fromisoformat(moment)

    def _save(self) -> None:
        """Write everything that can still matter; what is dead only makes the file grow."""
        kept = self._kept
        kept.access_tokens = {
            token: each
            for token, each in kept.access_tokens.items()
            if each.grant in kept.grants and not self._is_past(each.expires_at)
        }
        kept.codes = {
            code: each for code, each in kept.codes.items() if not self._is_past(each.expires_at)
        }
        write_private(self._path, json.dumps(asdict(kept)))


def check_redirect_uri(redirect_uri: str) -> None:
    """Google's rules for the redirect addresses of web clients. Raises OAuthRefused.

    https anywhere but at a bare IP address; http only on this machine.
    https://developers.google.com/identity/protocols/oauth2/web-server#uri-validation
    """
    try:
        parts = urlsplit(redirect_uri)
        host, _ = parts.hostname or "", parts.port
    except ValueError as err:
        raise OAuthRefused("invalid_request", "The redirect_uri is no address.") from err
    if not redirect_uri.isascii() or not redirect_uri.isprintable() or " " in redirect_uri:
        raise OAuthRefused("invalid_request", "The redirect_uri has characters that it may not.")
    if not host or parts.scheme not in ("http", "https"):
        raise OAuthRefused("invalid_request", "The redirect_uri must be an http or https address.")
    if "#" in redirect_uri or "@" in parts.netloc:
        raise OAuthRefused("invalid_request", "The redirect_uri has a fragment or a user name.")
    if host == "localhost" or _is_loopback(host):
        return
    if parts.scheme == "http" or _is_address(host):
        raise OAuthRefused("redirect_uri_mismatch", f"Google does not redirect to {redirect_uri}.")


def _check_scopes(scope: str) -> tuple[str, ...]:
    asked = [SCOPE_ALIASES.get(each, each) for each in scope.split()]
    if not asked:
        raise OAuthRefused("invalid_request", "Missing required parameter: scope")
    unknown = [each for each in asked if each not in SCOPES]
    if unknown:
        raise OAuthRefused("invalid_scope", f"Some requested scopes were invalid: {unknown[0]}")
    return tuple(dict.fromkeys(asked))


def _check_verifier(challenge: str, verifier: str) -> None:
    """PKCE (RFC 7636 section 4.6)."""
    if not challenge and verifier:
        raise OAuthRefused("invalid_grant", "code_verifier or verifier is not needed.")
    if not challenge:
        return
    if not verifier:
        raise OAuthRefused("invalid_grant", "Missing code verifier.")
    digest = hashlib.sha256(verifier.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if not hmac.compare_digest(expected, challenge.encode()):
        raise OAuthRefused("invalid_grant", "Invalid code verifier.")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    return _is_address(host) and ip_address(host).is_loopback


def _load(path: Path) -> _Kept:
    rows = read_json(path, missing=None)
    if rows is None:
        return _Kept()
    return _Kept(
        grants={key: Grant(**row) for key, row in rows["grants"].items()},
        codes={key: Code(**row) for key, row in rows["codes"].items()},
        access_tokens={key: AccessToken(**row) for key, row in rows["access_tokens"].items()},
        consented=rows["consented"],
    )
