"""What a person knows of an account's limit and Daypost cannot: two buttons on its page."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _

from accounts.models import GmailAccount
from accounts.tenancy import visible, visible_or_404, workspace_of


def urls(site: AdminSite) -> list[URLPattern]:
    def page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        return site.admin_view(partial(view, site))

    account = "gmail/<int:gmail_account_id>"
    return [
        path(f"{account}/end-ramp/", page(end_ramp), name="gmail_end_ramp"),
        path(f"{account}/forget-limit/", page(forget_limit), name="gmail_forget_limit"),
    ]


def end_ramp(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """It is an old, well used mailbox: no plan for a new one any more."""
    done = _("The plan for a new mailbox is off: what is set is in force.")
    return _change(request, gmail_account_id, done, ramp=False)


def forget_limit(site: AdminSite, request: HttpRequest, gmail_account_id: int) -> HttpResponse:
    """What Gmail's refusal has taught is not so, or no more."""
    done = _("Forgotten. Should Gmail refuse again, the account rests and learns it again.")
    return _change(request, gmail_account_id, done, learned_limit=None, learned_at=None)


def _change(
    request: HttpRequest, gmail_account_id: int, done: str, **changes: bool | None
) -> HttpResponse:
    account = visible_or_404(GmailAccount.objects.all(), request, gmail_account_id)
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    mine = visible(GmailAccount.objects.all(), workspace_of(request))
    mine.filter(pk=account.pk).update(**changes)
    messages.success(request, done)
    return redirect("admin:accounts_gmailaccount_change", account.pk)
