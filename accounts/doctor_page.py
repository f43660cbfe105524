"""The page of an account's check-up: what the doctor found, line by line as it comes."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import standing
from accounts.doctor import check_ups
from accounts.doctor.check import LABELS, Check, Name, State, from_rows
from accounts.models import CheckUp, GmailAccount
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404

STOP_ASKING = 286
"""The status at which HTMX asks no more."""

# A worker begins within a moment of being woken, and within a tick when it was not.
BEGINS_WITHIN = timedelta(seconds=15)


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return site.admin_view(partial(view, site))

    account = "gmail/<int:gmail_account_id>"
    return [
        path(f"{account}/doctor/", page(show), name="gmail_doctor"),
        path(f"{account}/doctor/progress/", page(progress), name="gmail_doctor_progress"),
        path(f"{account}/doctor/summary/", page(summary), name="gmail_account_progress"),
    ]


def show(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """GET the last check-up, POST asks for another."""
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    if request.method == "POST":
        check_ups.ask(account, timezone.now())
        return redirect("admin:gmail_doctor", account.pk)
    list_url = reverse("admin:accounts_gmailaccount_changelist")
    account_url = reverse("admin:accounts_gmailaccount_change", args=[account.pk])
    context = page_context(
        site,
        request,
        _("Doctor"),
        crumbs=[(_("Gmail accounts"), list_url), (account.address, account_url)],
        **findings(account, timezone.now()),
    )
    return TemplateResponse(request, "accounts/doctor.html", context)


def progress(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """The lines so far: the part of the page that is fetched again and again."""
    return _part("accounts/doctor_lines.html", request, gmail_account_id)


def summary(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """The same for the account's own page: the result in short."""
    return _part("accounts/doctor_summary.html", request, gmail_account_id)


def _part(template: str, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    found = findings(account, timezone.now())
    status = 200 if found["is_under_way"] else STOP_ASKING
    return TemplateResponse(request, template, found, status=status)


def findings(account: GmailAccount, now: datetime) -> dict[str, Any]:
    """What is known of the account's health, for the page and for the account's own."""
    check_up = CheckUp.objects.filter(account=account).first()
    checks = from_rows(check_up.checks) if check_up else []
    lines = [(LABELS[Name(check.name)], check) for check in checks]
    count = Counter(check.state for check in checks)
    return {
        "account": account,
        "check_up": check_up,
        "is_under_way": check_up is not None and check_up.finished_at is None,
        "not_begun_seconds": _not_begun_seconds(check_up, now),
        "lines": lines,
        "still_to_come": [label for name, label in LABELS.items() if not _has(checks, name)],
        "red": [(label, check) for label, check in lines if check.is_red],
        "connects_at": next((one.name for one in checks if one.is_red and one.connect_again), ""),
        "passed": count[State.GOOD],
        "waiting": count[State.WAITS],
        "unused": count[State.UNUSED],
        "in_the_way": _in_the_way(account, now),
    }


def _in_the_way(account: GmailAccount, now: datetime) -> str:
    """Why not all is well, whatever the checks have found; empty where it is."""
    if account.state != GmailAccount.State.READY:
        return str(capfirst(account.get_state_display()))
    if account.from_address and account.keeps_from is False:
        return _("Gmail replaces %(alias)s") % {"alias": account.from_address}
    if account.resting_until is not None and standing.is_resting(account, now):
        local = account.resting_until.astimezone(ZoneInfo(account.time_zone))
        named = {"at": date_format(local, "l, H:i"), "zone": account.time_zone}
        return _("Resting until %(at)s (%(zone)s)") % named
    return ""


def _has(checks: list[Check], name: Name) -> bool:
    return any(check.name == name for check in checks)


def _not_begun_seconds(check_up: CheckUp | None, now: datetime) -> int:
    """How long nobody has been at it, once that is longer than it should be; else 0."""
    if check_up is None or check_up.finished_at is not None:
        return 0
    since = check_up.held_until or check_up.asked_at
    waited = now - since
    return round(waited.total_seconds()) if waited > BEGINS_WITHIN else 0
