"""An account that is halted because the database is an older copy: a person lets it go on."""

from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import halts
from accounts.halts import Cause
from accounts.models import GmailAccount
from accounts.tenancy import is_owner, visible_or_404


def urls(site: AdminSite) -> list[URLPattern]:
    page = site.admin_view(partial(release, site))
    return [path("gmail/<int:gmail_account_id>/release/", page, name="gmail_release")]


def offer(account: GmailAccount, request: HttpRequest) -> dict[str, Any]:
    """What the account's page says of it, and whether this person may do it."""
    return {
        "older_copy": halts.of_cause(account, Cause.RESTORED),
        "may_release": is_owner(request),
    }


def release(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """POST: let the account go on, whatever may have left since the copy."""
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    if not is_owner(request):
        raise PermissionDenied
    if halts.end([account], Cause.RESTORED, timezone.now()):
        done = _("%(address)s goes on.") % {"address": account.address}
        messages.success(request, done)
    return redirect("admin:accounts_gmailaccount_change", account.pk)
