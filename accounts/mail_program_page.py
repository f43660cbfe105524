"""The page that says how to use a Gmail account in a mail program, and Apple Mail's profile."""

from collections.abc import Callable
from functools import partial
from typing import Literal
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _

from accounts.endpoints import practice_mailbox, servers_for
from accounts.mail_program import programs
from accounts.mail_program.apple_profile import CONTENT_TYPE, apple_profile, file_name
from accounts.mail_program.mailbox import Mailbox
from accounts.models import GmailAccount
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404
from gmail.errors import Unreachable


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        return site.admin_view(partial(view, site))

    here = "gmail/<int:gmail_account_id>/mail-program"
    return [
        path(f"{here}/", page(mail_program), name="gmail_mail_program"),
        path(f"{here}/profile/", page(download_profile), name="gmail_apple_profile"),
    ]


def mail_program(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """GET `program`, `incoming` (imap, pop) and `outgoing` (ssl, starttls), all optional."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    crumbs = [
        (_("Gmail accounts"), reverse("admin:accounts_gmailaccount_changelist")),
        (account.address, _account_url(account)),
    ]
    context = page_context(
        site, request, _("Use in a mail program"), crumbs=crumbs, account=account
    )
    try:
        mailbox = _mailbox(account, request)
    except Unreachable:
        return TemplateResponse(request, "accounts/mail_program_gone.html", context)
    known = {program.key: program for program in programs()}
    program = known.get(request.GET.get("program", ""), programs()[0])
    chosen = {
        "program": program.key,
        "incoming": mailbox.incoming,
        "outgoing": mailbox.outgoing,
    }
    context |= {
        "program": program,
        "guide": program.guide(mailbox),
        "mailbox": mailbox,
        "practice_mailbox": practice_mailbox() if mailbox.is_practice else "",
        "choices": [
            (_("Program"), _links(chosen, "program", [(p.key, p.name) for p in known.values()])),
            (_("Incoming mail"), _links(chosen, "incoming", [("imap", "IMAP"), ("pop", "POP")])),
            (_("Outgoing mail"), _links(chosen, "outgoing", _ports(mailbox))),
        ],
    }
    return TemplateResponse(request, "accounts/mail_program.html", context)


def download_profile(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """The profile as a file; to the page that says why, where there are no servers to name."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    try:
        mailbox = _mailbox(account, request)
    except Unreachable:
        return redirect("admin:gmail_mail_program", account.pk)
    return HttpResponse(
        apple_profile(mailbox, account.mailbox_key),
        content_type=CONTENT_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{file_name(mailbox)}"'},
    )


def _mailbox(account: GmailAccount, request: HttpRequest) -> Mailbox:
    """As the links of the page ask for it. Raises Unreachable."""
    incoming: Literal["imap", "pop"] = "pop" if request.GET.get("incoming") == "pop" else "imap"
    outgoing = request.GET.get("outgoing", account.smtp_security)
    return Mailbox(
        address=account.address,
        name=account.display_name,
        servers=servers_for(account),
        incoming=incoming,
        outgoing="starttls" if outgoing == "starttls" else "ssl",
    )


def _ports(mailbox: Mailbox) -> list[tuple[str, str]]:
    servers = mailbox.servers
    return [
        ("ssl", _("Port %(port)d, SSL/TLS") % {"port": servers.smtp_ssl_port}),
        ("starttls", _("Port %(port)d, STARTTLS") % {"port": servers.smtp_starttls_port}),
    ]


def _links(
    chosen: dict[str, str], name: str, options: list[tuple[str, str]]
) -> list[dict[str, object]]:
    """A link for each option, which changes it and keeps the rest of what is chosen."""
    return [
        {
            "text": text,
            "query": "?" + urlencode(chosen | {name: value}),
            "current": chosen[name] == value,
        }
        for value, text in options
    ]


def _account_url(account: GmailAccount) -> str:
    return reverse("admin:accounts_gmailaccount_change", args=[account.pk])
