"""The pages on which a Gmail account is connected, connected again, or disconnected."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from csp.decorators import csp_update
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

from accounts.connect import (
    CONSENT_KEY,
    ConnectError,
    connect_by_app_password,
    disconnect,
    finish_oauth,
    start_oauth,
)
from accounts.endpoints import (
    google_endpoints,
    google_servers,
    origin,
    practice_endpoints,
    practice_mailbox,
)
from accounts.gmail_forms import AnswerForm, AppPasswordForm, GoogleClientForm, PasswordAgainForm
from accounts.google_client import keep_client
from accounts.models import GmailAccount, OAuthClient, Workspace
from accounts.pages_context import page_context
from accounts.redirect_address import redirect_address
from accounts.tenancy import visible, visible_or_404, workspace_of
from accounts.vault import VaultError
from gmail.endpoints import Endpoints

# Where the session keeps what went wrong at Google, until the page that started it is shown.
TROUBLE_KEY = "gmail_trouble"


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return site.admin_view(sensitive_post_parameters()(partial(view, site)))

    account = "gmail/<int:gmail_account_id>"
    return [
        path("gmail/connect/", page(connect), name="gmail_connect"),
        path("gmail/client/", page(google_client), name="gmail_client"),
        path("gmail/consent/", page(ask_consent), name="gmail_consent"),
        path("gmail/callback/", page(callback), name="gmail_callback"),
        path("gmail/answer/", page(pasted_answer), name="gmail_answer"),
        path(f"{account}/again/", page(connect_again), name="gmail_again"),
        path(f"{account}/disconnect/", page(ask_disconnect), name="gmail_disconnect"),
    ]


# --- Connect ---------------------------------------------------------------------------------


@sensitive_variables("values")
def connect(site: AdminSite, request: HttpRequest) -> HttpResponseBase:
    """The three ways. POST is one of the two app password forms, told apart by its prefix."""
    forms = {way: AppPasswordForm(prefix=way) for way in ("google", "practice")}
    if request.method == "POST":
        way = "practice" if "practice-address" in request.POST else "google"
        form = forms[way] = AppPasswordForm(request.POST, prefix=way)
        if form.is_valid():
            values = form.cleaned_data
            # A mailbox that was connected before has a name: nothing typed does not take it away.
            values["display_name"] = values["display_name"] or None
            try:
                account = connect_by_app_password(
                    workspace_of(request), practice=way == "practice", **values
                )
            except ConnectError as error:
                form.refuse(error)
            else:
                return _connected(request, account)
    return _connect_page(site, request, forms=forms)


def _connect_page(
    site: AdminSite, request: HttpRequest, *, forms: dict[str, AppPasswordForm], **more: Any
) -> HttpResponseBase:
    workspace = workspace_of(request)
    google, practice = _google(workspace), practice_endpoints()
    context = page_context(
        site,
        request,
        _("Connect Gmail"),
        crumbs=[(_("Gmail accounts"), _list_url())],
        google=google,
        practice=None if google.on_this_machine else practice,
        practice_mailbox=practice_mailbox(),
        redirect_address=redirect_address(request),
        app_form=forms["google"],
        practice_form=forms["practice"],
        **{
            "client_form": GoogleClientForm(),
            "answer_form": AnswerForm(),
            "trouble": request.session.pop(TROUBLE_KEY, None),
            **more,
        },
    )
    page = TemplateResponse(request, "accounts/connect_gmail.html", context)
    return _may_lead_to([google, practice], request, page)


@sensitive_variables("values")
def connect_again(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponseBase:
    """For an account that needs it: by consent, or with a new app password."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    form = PasswordAgainForm(request.POST or None, initial={"display_name": account.display_name})
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            connect_by_app_password(
                workspace_of(request),
                account.address,
                values["password"],
                practice=account.practice,
                smtp_security="starttls" if account.smtp_security == "starttls" else "ssl",
                inbound=account.inbound,
                display_name=values["display_name"],
                account=account,
            )
        except ConnectError as error:
            form.refuse(error)
        else:
            return _connected(request, account)
    endpoints = _endpoints_of(account)
    context = page_context(
        site,
        request,
        _("Connect %(address)s again") % {"address": account.address},
        crumbs=[(_("Gmail accounts"), _list_url()), (account.address, _account_url(account))],
        account=account,
        form=form,
        answer_form=AnswerForm(),
        endpoints=endpoints,
        redirect_address=redirect_address(request),
        trouble=request.session.pop(TROUBLE_KEY, None),
    )
    page = TemplateResponse(request, "accounts/connect_gmail_again.html", context)
    return _may_lead_to([endpoints], request, page)


def _connected(request: HttpRequest, account: GmailAccount) -> HttpResponse:
    """To the account's page, which shows what else it could be told; and the way on from there."""
    done = _("%(address)s is connected.") % {"address": account.address}
    missing = "" if account.display_name else _("Say below which name recipients see.")
    onward = format_html('<a href="{}">{}</a>', reverse("admin:index"), _("What comes next"))
    messages.success(request, format_html("{} {} {}", done, missing, onward))
    return redirect(_account_url(account))


# --- Google's consent ------------------------------------------------------------------------


def ask_consent(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """POST `practice` or `account`, if any: send the person to the consent page."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    account, key = None, request.POST.get("account", "")
    if key:
        account = visible_or_404(GmailAccount.objects.all(), request, key)
    practice = account.practice if account else "practice" in request.POST
    try:
        url = start_oauth(
            request.session,
            workspace_of(request),
            redirect_address(request).url,
            practice=practice,
            account=account,
        )
    except ConnectError as error:
        return _back_to_start(request, error, account.pk if account else None, practice)
    return redirect(url)


def callback(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """GET with `state` and `code` or `error`: what Google sent the browser back with."""
    return _finish(request, request.build_absolute_uri())


@sensitive_variables("answer")
def pasted_answer(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """POST `answer`: the same, from a browser that Google sent where nobody answers."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    answer = request.POST.get("answer", "").strip()
    return _finish(request, answer)


@sensitive_variables("answer")
def _finish(request: HttpRequest, answer: str) -> HttpResponse:
    """Never shows a page of its own: the answer must not stay in the address bar."""
    waiting = request.session.get(CONSENT_KEY) or {}
    try:
        account = finish_oauth(request.session, workspace_of(request), answer, timezone.now())
    except ConnectError as error:
        return _back_to_start(request, error, waiting.get("account"), waiting.get("practice"))
    return _connected(request, account)


def _back_to_start(
    request: HttpRequest, error: ConnectError, account_id: int | None, practice: bool | None
) -> HttpResponse:
    """To the page that the consent was asked from; it shows the sentence in its place."""
    way = "practice" if practice else "google"
    request.session[TROUBLE_KEY] = {"sentence": error.sentence, "way": way}
    mine = visible(GmailAccount.objects.all(), workspace_of(request))
    if account_id is not None and mine.filter(pk=account_id).exists():
        return redirect("admin:gmail_again", account_id)
    return redirect("admin:gmail_connect")


# --- The Google client -----------------------------------------------------------------------


@sensitive_variables("values")
def google_client(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The guide to making a client, and the form for it; also to put another in its place."""
    workspace = workspace_of(request)
    known = visible(OAuthClient.objects.all(), workspace).first()
    form = GoogleClientForm(
        request.POST or None, initial={"client_id": known.client_id if known else ""}
    )
    if request.method == "POST" and not settings.GOOGLE["client_id"] and form.is_valid():
        values = form.cleaned_data
        try:
            keep_client(workspace, endpoints=_google(workspace), **values)
        except ConnectError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Google knows this client. Now connect an account."))
            return redirect("admin:gmail_connect")
    granted = GmailAccount.objects.filter(auth=GmailAccount.Auth.OAUTH, practice=False)
    context = page_context(
        site,
        request,
        _("Google client"),
        crumbs=[(_("Gmail accounts"), _list_url()), (_("Connect Gmail"), _connect_url())],
        form=form,
        known=known,
        set_by_environment=bool(settings.GOOGLE["client_id"]),
        granted=visible(granted, workspace).exclude(state=GmailAccount.State.DISCONNECTED),
        redirect_address=redirect_address(request),
    )
    return TemplateResponse(request, "accounts/google_client.html", context)


# --- Disconnect ------------------------------------------------------------------------------


def ask_disconnect(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """Ask, then forget the account's secrets."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    if request.method == "POST":
        disconnect(account)
        done = _("%(address)s is disconnected.") % {"address": account.address}
        messages.success(request, done)
        return redirect(_list_url())
    title = _("Disconnect %(address)s?") % {"address": account.address}
    crumbs = [(_("Gmail accounts"), _list_url()), (account.address, _account_url(account))]
    context = page_context(site, request, title, crumbs=crumbs, account=account)
    return TemplateResponse(request, "accounts/disconnect_gmail.html", context)


# --- Shared ----------------------------------------------------------------------------------


def _google(workspace: Workspace) -> Endpoints:
    """Google's endpoints; without a client where its secret cannot be opened any more."""
    try:
        return google_endpoints(workspace)
    except VaultError:
        return google_servers()


def _endpoints_of(account: GmailAccount) -> Endpoints | None:
    """Where the account's consent is asked; None where its practice Gmail is not there."""
    google = _google(account.workspace)
    if not account.practice or google.on_this_machine:
        return google
    return practice_endpoints()


def _may_lead_to(
    endpoints: list[Endpoints | None], request: HttpRequest, page: HttpResponseBase
) -> HttpResponseBase:
    """Let the page's forms end on these consent pages: a browser follows form-action that far."""
    origins = [origin(each.auth_uri) for each in endpoints if each is not None]
    allow = csp_update({"form-action": origins})
    return allow(lambda _request: page)(request)


def _list_url() -> str:
    return reverse("admin:accounts_gmailaccount_changelist")


def _connect_url() -> str:
    return reverse("admin:gmail_connect")


def _account_url(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])
