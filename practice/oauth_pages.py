"""OAuth over HTTP: the consent page, and the token, userinfo and revoke endpoints.

The introspection endpoint is the practice Gmail's own: Google has none. Other mail servers ask it
whether a token is good, so that they can stand beside this one with the same accounts.
"""

import base64
import binascii
import hmac
import json
import re
import secrets
from urllib.parse import quote, unquote, urlencode, urlsplit

from twisted.web.template import Tag, tags

from practice.accounts import Account, Accounts
from practice.addresses import same_mailbox
from practice.oauth import (
    EMAIL_SCOPE,
    MAIL_SCOPE,
    SCOPES,
    AuthorizationServer,
    OAuthRefused,
    Request,
    TokenAnswer,
)
from practice.pages import page
from practice.web import PAGE_POLICY, Answer, Call, Route

AUTHORIZE = "/o/oauth2/v2/auth"
TOKEN = "/token"  # noqa: S105 - an address
USERINFO = "/v1/userinfo"
REVOKE = "/revoke"
INTROSPECT = "/introspect"

# The same in a cookie and in the form, so that only a page of ours can have posted it.
COOKIE = "practice_consent"
SECRET = re.compile(r"[A-Za-z0-9_-]{32}\Z")


class OAuthPages:
    """Answers as Google's authorization server does, errors included."""

    def __init__(self, server: AuthorizationServer, accounts: Accounts) -> None:
        self._server = server
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("GET", AUTHORIZE, self.ask),
            Route("POST", AUTHORIZE, self.decide),
            Route("POST", TOKEN, self.token),
            Route("GET", USERINFO, self.userinfo),
            Route("POST", USERINFO, self.userinfo),
            Route("POST", REVOKE, self.revoke),
            Route("POST", INTROSPECT, self.introspect),
        ]

    def ask(self, call: Call) -> Answer:
        """Show who asks for what; the person chooses the account and decides."""
        try:
            request = self._server.check_request(call.query)
        except OAuthRefused as err:
            return _error_page(err)
        secret = call.cookies.get(COOKIE, "")
        if not SECRET.match(secret):
            secret = secrets.token_urlsafe(24)
        return self._consent_page(request, call.query, secret)

    def decide(self, call: Call) -> Answer:
        """Send the person back to the application with a code, or with access_denied."""
        try:
            request = self._server.check_request(call.query)
        except OAuthRefused as err:
            return _error_page(err)
        secret = call.cookies.get(COOKIE, "")
        form = call.form
        same = hmac.compare_digest(secret.encode(), form.get("secret", "").encode())
        if not secret or not same or call.is_from_elsewhere:
            return page("This page is too old", _go_back(), status=403)
        account = self._accounts.get(form.get("account", ""))
        ticked = [value for name, value in call.form_pairs if name == "scope"]
        allowed = tuple(scope for scope in request.scopes if scope != MAIL_SCOPE or scope in ticked)
        if form.get("decision") != "allow" or account is None or not allowed:
            return _redirect(request, {"error": "access_denied"})
        code = self._server.allow(request, account.email, allowed)
        return _redirect(
            request,
            {"code": code, "scope": " ".join(allowed), "authuser": "0", "prompt": "consent"},
        )

    def token(self, call: Call) -> Answer:
        """RFC 6749 sections 4.1.3 and 6; no id_token is given, userinfo tells the same."""
        form = call.form
        try:
            client_id, client_secret = _client_credentials(call, form)
            self._server.check_client(client_id, client_secret)
            match form.get("grant_type"):
                case "authorization_code":
                    answer = self._server.exchange(
                        form.get("code", ""),
                        form.get("redirect_uri", ""),
                        form.get("code_verifier", ""),
                    )
                case "refresh_token":
                    answer = self._server.refresh(form.get("refresh_token", ""))
                case other:
                    raise OAuthRefused("unsupported_grant_type", f"Invalid grant_type: {other}")
        except OAuthRefused as err:
            return _json_error(err)
        return _json(_token_body(answer))

    def userinfo(self, call: Call) -> Answer:
        """OpenID Connect Core section 5.3; the address only where its scope was granted."""
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        grant = self._server.grant_of(token) if scheme.lower() == "bearer" else None
        account = self._accounts.get(grant.account) if grant else None
        if grant is None or account is None:
            challenge = 'Bearer realm="https://accounts.google.com/", error="invalid_token"'
            answer = _json_error(OAuthRefused("invalid_request", "Invalid Credentials", 401))
            answer.headers["WWW-Authenticate"] = challenge
            return answer
        body: dict[str, object] = {"sub": account.subject}
        if EMAIL_SCOPE in grant.scopes:
            body |= {"email": account.email, "email_verified": True}
        return _json(body)

    def revoke(self, call: Call) -> Answer:
        try:
            self._server.revoke_token(call.form.get("token") or call.query.get("token", ""))
        except OAuthRefused as err:
            return _json_error(err)
        return _json({})

    def introspect(self, call: Call) -> Answer:
        """RFC 7662, for whoever knows the client's secret; refresh tokens are never active."""
        form = call.form
        try:
            self._server.check_client(*_client_credentials(call, form))
        except OAuthRefused as err:
            return _json_error(err)
        token = form.get("token", "")
        grant = self._server.grant_of(token)
        account = self._accounts.get(grant.account) if grant else None
        if grant is None or account is None:
            return _json({"active": False})
        return _json(
            {
                "active": True,
                "scope": " ".join(grant.scopes),
                "client_id": self._server.client.id,
                "username": account.email,
                "email": account.email,
                "sub": account.subject,
                "token_type": "Bearer",
                "exp": int(self._server.end_of(token).timestamp()),
            }
        )

    def _consent_page(self, request: Request, query: dict[str, str], secret: str) -> Answer:
        chosen = self._accounts.get(request.login_hint) or next(iter(self._accounts))
        form = tags.form(
            tags.input(type="hidden", name="secret", value=secret),
            tags.fieldset(
                tags.legend("Choose an account"),
                *(_account_choice(account, chosen) for account in self._accounts),
            ),
            tags.fieldset(
                tags.legend("It asks for"), *(_scope_choice(scope) for scope in request.scopes)
            ),
            tags.p(
                tags.button("Allow", type="submit", name="decision", value="allow"),
                tags.button(
                    "Cancel", type="submit", name="decision", value="cancel", class_="quiet"
                ),
                class_="actions",
            ),
            method="post",
            action=f"{AUTHORIZE}?{urlencode(query)}",
        )
        parts = urlsplit(request.redirect_uri)
        answer = page(
            "Sign in with Google, for practice",
            tags.p(
                tags.strong(parts.netloc),
                " wants to use a practice Gmail account. This page stands in for Google's.",
            ),
            form,
        )
        answer.headers["Set-Cookie"] = f"{COOKIE}={secret}; Path=/o/; HttpOnly; SameSite=Strict"
        # Without form-action: browsers apply it to the redirect back to the application as well.
        answer.headers["Content-Security-Policy"] = PAGE_POLICY
        return answer


def _account_choice(account: Account, chosen: Account) -> Tag:
    checked = {"checked": "checked"} if same_mailbox(account.email, chosen.email) else {}
    choice = tags.input(type="radio", name="account", value=account.email, **checked)
    return tags.label(choice, " ", account.email)


def _scope_choice(scope: str) -> Tag:
    """Access to mail can be left out, as on Google's page; who one is cannot."""
    if scope != MAIL_SCOPE:
        return tags.p(SCOPES[scope])
    choice = tags.input(type="checkbox", name="scope", value=scope, checked="checked")
    return tags.label(choice, " ", SCOPES[scope])


def _redirect(request: Request, result: dict[str, str]) -> Answer:
    if request.state:
        result = {"state": request.state, **result}
    separator = "&" if urlsplit(request.redirect_uri).query else "?"
    location = f"{request.redirect_uri}{separator}{urlencode(result, quote_via=quote)}"
    return Answer(b"", 302, headers={"Location": location})


def _error_page(err: OAuthRefused) -> Answer:
    return page(
        f"Error {err.status}: {err.error}",
        tags.p("Access blocked: this application's request is invalid."),
        tags.p(err.description),
        _go_back(),
        status=err.status,
    )


def _go_back() -> Tag:
    return tags.p("Go back to the application and try again from there.")


def _client_credentials(call: Call, form: dict[str, str]) -> tuple[str, str]:
    """From the form, or by HTTP Basic (RFC 6749 section 2.3.1)."""
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        decoded = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as err:
        raise OAuthRefused("invalid_client", "The credentials cannot be decoded.", 401) from err
    client_id, _, client_secret = decoded.partition(":")
    return unquote(client_id), unquote(client_secret)


def _token_body(answer: TokenAnswer) -> dict[str, object]:
    body: dict[str, object] = {
        "access_token": answer.access_token,
        "expires_in": answer.expires_in,
        "scope": " ".join(answer.scopes),
        "token_type": "Bearer",
    }
    if answer.refresh_token:
        body["refresh_token"] = answer.refresh_token
    return body


def _json(body: dict[str, object], status: int = 200) -> Answer:
    encoded = json.dumps(body, indent=2).encode()
    return Answer(encoded, status, "application/json; charset=utf-8")


def _json_error(err: OAuthRefused) -> Answer:
    return _json({"error": err.error, "error_description": err.description}, err.status)
