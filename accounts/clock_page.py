"""The page of a clock that is not believed: what was compared, and a person's word for it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.clock import watch, words
from accounts.models import ClockCheck, GmailAccount, Halt
from accounts.pages_context import page_context
from accounts.tenancy import is_owner, visible, visible_or_404, workspace_of


@dataclass(frozen=True)
class Comparison:
    """One machine's clock when it was last looked at, and what speaks against it.

    `by_boot` is None where the machine was started since its clock was right, `theirs` where the
    server did not answer; `ours` is what the clock showed then.
    """

    host: str
    finding: str
    shown: datetime | None
    by_boot: datetime | None
    theirs: datetime | None
    ours: datetime | None


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return site.admin_view(partial(view, site))

    return [path("gmail/<int:gmail_account_id>/clock/", page(show), name="gmail_clock")]


def show(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """GET what was compared; POST, by an owner: the time is right, for all of the workspace."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    account_url = reverse("admin:accounts_gmailaccount_change", args=[account.pk])
    if request.method == "POST":
        if not is_owner(request):
            raise PermissionDenied
        _confirm(request)
        messages.success(
            request, _("The time is taken for right. Sending goes on within a few seconds.")
        )
        return redirect(account_url)
    context = page_context(
        site,
        request,
        _("The clock"),
        crumbs=[
            (_("Gmail accounts"), reverse("admin:accounts_gmailaccount_changelist")),
            (account.address, account_url),
        ],
        account=account,
        server=words.server(account),
        comparisons=[compare(check) for check in watch.at_odds(account)],
        gone=[compare(check) for check in watch.gone(account)],
        may_confirm=is_owner(request),
    )
    return TemplateResponse(request, "accounts/clock.html", context)


def compare(check: ClockCheck) -> Comparison:
    known = check.known
    right, seen = known.found_right, known.seen
    by_boot = None
    if right is not None and seen is not None and seen.boottime >= right.boottime:
        by_boot = right.wall + timedelta(seconds=seen.boottime - right.boottime)
    return Comparison(
        host=check.host,
        finding=words.finding(check),
        shown=seen.wall if seen else None,
        by_boot=by_boot,
        theirs=check.theirs_at,
        ours=check.ours_at,
    )


def _confirm(request: HttpRequest) -> None:
    """It is one clock for all of the workspace's accounts."""
    halted = Halt.objects.filter(cause=Halt.Cause.CLOCK, ended_at=None)
    accounts = GmailAccount.objects.filter(pk__in=halted.values("account"))
    for account in visible(accounts, workspace_of(request)):
        watch.confirm(account, timezone.now())
