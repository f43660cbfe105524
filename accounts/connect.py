"""The journey of a Gmail account: connect, reconnect, disconnect.

A row is written only once Google has let us in. Connecting a mailbox again revives its row, so
that what it has sent already keeps counting.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import explain, sealed, standing
from accounts.doctor import check_ups
from accounts.endpoints import (
    endpoints_for,
    google_endpoints,
    google_servers,
    practice_endpoints,
)
from accounts.identity import checked_address, checked_name
from accounts.models import GmailAccount, Workspace
from accounts.models.gmail_account import PERSONAL_DOMAINS
from accounts.tenancy import visible
from accounts.vault import VaultError
from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import AuthRefused, GmailError
from gmail.smtp import SmtpSession
from gmail.smtp_line import Security

# Where the session keeps what one consent needs, until its answer comes.
CONSENT_KEY = "gmail_consent"
LOGIN_TIMEOUT = 30  # seconds

log = logging.getLogger(__name__)


class ConnectError(Exception):
    """Why an account was not connected: a sentence for a person, and the field it belongs to."""

    def __init__(self, sentence: str, field: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.field = field


def mailbox_key(address: str, practice: bool = False) -> str:
    """One key for every spelling of one mailbox, because Gmail counts its limit once.

    "+tags" matter at no domain that Gmail serves, dots do not at gmail.com only
    (https://support.google.com/mail/answer/7436150), and case nowhere. A practice mailbox is
    another one than Google's of that name.
    """
    local, _at, domain = address.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in PERSONAL_DOMAINS:
        local, domain = local.replace(".", ""), "gmail.com"
    key = f"{local}@{domain}"
    return f"practice:{key}" if practice else key


# --- By app password -------------------------------------------------------------------------


@sensitive_variables()
def connect_by_app_password(
    workspace: Workspace,
    address: str,
    password: str,
    *,
    practice: bool = False,
    smtp_security: Security = "ssl",
    inbound: str = GmailAccount.Inbound.IMAP,
    limit: int | None = None,
    ramp: bool | None = None,
    display_name: str | None = None,
    account: GmailAccount | None = None,
) -> GmailAccount:
    """Log in by SMTP, and only then save. Raises ConnectError.

    `practice` means the practice Gmail of this machine instead of Google. `limit` is in messages
    in any 24 hours, `ramp` the plan for a new mailbox, `display_name` what recipients see beside
    the address; None keeps what was set. With `account` it must be that account's mailbox.
    """
    address = _checked_address(address)
    if display_name is not None:
        display_name = _checked_name(display_name)
    if not password.strip():
        raise ConnectError(_("Paste the app password: 16 letters."), "password")
    endpoints = _practice_or(google_servers(), practice)
    _check_mailbox(account, address, endpoints)
    try:
        SmtpSession.open(
            endpoints,
            security=smtp_security,
            address=address,
            app_password=password,
            timeout=LOGIN_TIMEOUT,
        ).close()
    except AuthRefused as error:
        if practice:
            sentence = explain.practice_password_refused()
        else:
            sentence = explain.app_password_refused(error.why, password)
        raise ConnectError(sentence, "password") from error
    except GmailError as error:
        raise ConnectError(explain.trouble(error)) from error
    with _revived(workspace, address, endpoints) as row:
        row.auth = GmailAccount.Auth.APP_PASSWORD
        row.sealed_secret = sealed.ACCOUNT_SECRET.seal(row, "".join(password.split()))
        row.sealed_access_token, row.access_token_expires_at = "", None
        row.smtp_security, row.inbound = smtp_security, inbound
        if limit is not None:
            row.limit = limit
        if ramp is not None:
            row.ramp = ramp
        if display_name is not None:
            row.display_name = display_name
    return row


# --- By Google's consent ---------------------------------------------------------------------


@sensitive_variables("consent")
def start_oauth(
    session: MutableMapping[str, Any],
    workspace: Workspace,
    redirect_uri: str,
    *,
    practice: bool = False,
    account: GmailAccount | None = None,
) -> str:
    """The address of the consent page to send the person to. Raises ConnectError.

    What the answer is checked against waits in `session`, once; a second start replaces it.
    """
    endpoints = _with_client(workspace, practice)
    if not endpoints.client_id:
        raise ConnectError(_("Set the Google client first: its id and its secret."), "client_id")
    hint = account.address if account else None
    consent = oauth.consent_url(endpoints, redirect_uri, login_hint=hint)
    session[CONSENT_KEY] = {
        "state": consent.state,
        "code_verifier": consent.code_verifier,
        "redirect_uri": redirect_uri,
        "workspace": workspace.pk,
        "practice": practice,
        "account": account.pk if account else None,
    }
    return consent.url


@sensitive_variables()
def finish_oauth(
    session: MutableMapping[str, Any], workspace: Workspace, answer: str, now: datetime
) -> GmailAccount:
    """Connect the account that an answer of Google's is about. Raises ConnectError.

    `answer` is the whole address that the browser ended on. It works once: what was waiting for
    it is taken out of the session before Google is asked.
    """
    waiting = _take_waiting(session, workspace, answer)
    endpoints = _with_client(workspace, waiting["practice"])
    meant = visible(GmailAccount.objects.all(), workspace).filter(pk=waiting["account"]).first()
    try:
        grant = oauth.exchange(
            endpoints,
            waiting["redirect_uri"],
            waiting["state"],
            waiting["code_verifier"],
            answer,
        )
    except GmailError as error:
        raise ConnectError(explain.trouble(error)) from error
    _check_mailbox(meant, grant.address, endpoints)
    with _revived(workspace, grant.address, endpoints) as row:
        row.auth = GmailAccount.Auth.OAUTH
        row.sealed_secret = sealed.ACCOUNT_SECRET.seal(row, grant.refresh_token)
        row.sealed_access_token = sealed.ACCESS_TOKEN.seal(row, grant.access_token)
        row.access_token_expires_at = now + timedelta(seconds=grant.expires_in)
    return row


@sensitive_variables()
def _take_waiting(
    session: MutableMapping[str, Any], workspace: Workspace, answer: str
) -> dict[str, Any]:
    """What `start_oauth` left, if `answer` belongs to it. Raises ConnectError.

    An answer with another state does not use it up: a page of somebody else's could send one.
    """
    states = parse_qs(urlsplit(answer).query).get("state", [])
    if len(states) != 1:
        raise ConnectError(
            _("This is not the address that Google sent you to: it has no state in it."), "answer"
        )
    waiting: dict[str, Any] | None = session.get(CONSENT_KEY)
    if (
        waiting is None
        or waiting["workspace"] != workspace.pk
        or not hmac.compare_digest(waiting["state"].encode(), states[0].encode())
    ):
        raise ConnectError(
            _("This answer from Google is used up, too old, or of another try. Try again."),
            "answer",
        )
    del session[CONSENT_KEY]
    return waiting


# --- Disconnect ------------------------------------------------------------------------------


@sensitive_variables()
def disconnect(account: GmailAccount) -> None:
    """Forget the account's secrets, and take the consent back at Google as far as it can be told.

    The row and its ledger stay, because what was sent keeps counting; what waits, waits.
    """
    with transaction.atomic():
        row = GmailAccount.objects.select_for_update().get(pk=account.pk)
        taken_back = _grant_to_revoke(row)
        row.sealed_secret = row.sealed_access_token = ""
        row.access_token_expires_at = row.token_lease_until = None
        row.state, row.state_reason = GmailAccount.State.DISCONNECTED, ""
        row.save()
    if taken_back is None:
        return
    endpoints, refresh_token = taken_back
    try:
        oauth.revoke(endpoints, refresh_token)
    except GmailError as error:
        log.warning("The consent of account %s could not be revoked: %s", account.pk, error)


@sensitive_variables()
def _grant_to_revoke(row: GmailAccount) -> tuple[Endpoints, str] | None:
    if row.auth != GmailAccount.Auth.OAUTH or not row.sealed_secret:
        return None
    try:
        return endpoints_for(row), sealed.ACCOUNT_SECRET.open(row)
    except (GmailError, VaultError) as error:
        log.warning("The consent of account %s cannot be revoked: %s", row.pk, error)
        return None


# --- What every way shares -------------------------------------------------------------------


@contextmanager
def _revived(workspace: Workspace, address: str, endpoints: Endpoints) -> Iterator[GmailAccount]:
    """The mailbox's row, old or new, locked until it is saved as ready. Raises ConnectError."""
    practice = endpoints.on_this_machine
    new = {
        "workspace": workspace,
        "address": address,
        "practice": practice,
        "time_zone": workspace.time_zone,
        # Whether the mailbox is new nobody knows here: its person may say that it is not.
        "ramp": True,
    }
    if practice:
        # Nobody writes by hand there, and nothing is at stake.
        new |= {"reserve_by_hand": 0, "reserve_transactional": 0, "self_test": False, "ramp": False}
    with transaction.atomic():
        row, _created = GmailAccount.objects.select_for_update().get_or_create(
            mailbox_key=mailbox_key(address, practice), defaults=new
        )
        if row.workspace_id != workspace.pk:
            raise ConnectError(
                _(
                    "{address} is connected in another workspace. A mailbox belongs to one "
                    "workspace only, because Gmail counts its limit once. Connect another one."
                ).format(address=address),
                "address",
            )
        yield row
        row.address = address
        row.state, row.state_reason = GmailAccount.State.READY, ""
        row.token_lease_until = None
        row.save()
        # Whatever trouble it rested for, the login has just worked.
        standing.connected(row.pk, timezone.now())
        row.refresh_from_db()
        check_ups.ask_anew(row, timezone.now())


def _check_mailbox(account: GmailAccount | None, address: str, endpoints: Endpoints) -> None:
    """Raises ConnectError when another mailbox was chosen than the one to connect again."""
    if account is None or mailbox_key(address, endpoints.on_this_machine) == account.mailbox_key:
        return
    raise ConnectError(
        _(
            "You chose {chosen}, but this is about {meant}. Choose {meant}, or connect {chosen} "
            "as another account."
        ).format(chosen=address, meant=account.address),
        "address",
    )


def _with_client(workspace: Workspace, practice: bool) -> Endpoints:
    """Where to ask for consent. Raises ConnectError."""
    if practice and not google_servers().on_this_machine:
        return _practice_or(google_servers(), practice)
    try:
        return google_endpoints(workspace)
    except VaultError as error:
        raise ConnectError(
            _("The secret of the Google client cannot be opened. Save id and secret again."),
            "client_secret",
        ) from error


def _practice_or(google: Endpoints, practice: bool) -> Endpoints:
    """The practice Gmail where it is meant, and Google is not one itself. Raises ConnectError."""
    if not practice or google.on_this_machine:
        return google
    found = practice_endpoints()
    if found is None:
        raise ConnectError(_("There is no practice Gmail on this machine. Start it: make run"))
    return found


def _checked_address(address: str) -> str:
    try:
        checked = checked_address(address)
    except ValidationError as error:
        raise ConnectError(_not_an_address(), "address") from error
    if not checked:
        raise ConnectError(_not_an_address(), "address")
    return checked


def _not_an_address() -> str:
    return _("This is not an e-mail address. Type it whole, like name@gmail.com.")


def _checked_name(name: str) -> str:
    try:
        return checked_name(name)
    except ValidationError as error:
        raise ConnectError(error.messages[0], "display_name") from error
