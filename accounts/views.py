"""Log-in, sign-up and password pages: allauth's views with Daypost's forms."""

from typing import Any

from allauth.account import views as allauth_views
from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from accounts.forms import (
    ChangePasswordForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SetPasswordForm,
    SignupForm,
)
from accounts.models import GmailAccount
from accounts.signup import (
    EmailTaken,
    SignupClosed,
    WorkspaceNameTaken,
    is_unclaimed,
    signup_is_open,
)


class LoginView(allauth_views.LoginView):
    form_class = LoginForm

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_unclaimed():
            return redirect("account_signup")
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "signup_is_open": signup_is_open()}


class SignupView(allauth_views.SignupView):
    form_class = SignupForm

    def form_valid(self, form: SignupForm) -> HttpResponseBase:
        """What the form found free may be taken by now: then say so, and keep what was typed."""
        try:
            response: HttpResponseBase = super().form_valid(form)
            return response
        except SignupClosed:
            return self.closed()  # type: ignore[no-any-return]
        except EmailTaken as error:
            form.add_error("email", str(error))
        except WorkspaceNameTaken as error:
            form.add_error("workspace_name", str(error))
        return self.form_invalid(form)  # type: ignore[no-any-return]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "first_person": is_unclaimed()}


class PageOfOwnMixin:
    """A page of somebody who is logged in: in the frame with the menu."""

    request: HttpRequest

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**admin.site.each_context(self.request), "title": self.title, **context}  # type: ignore[attr-defined]


class PasswordChangeView(PageOfOwnMixin, allauth_views.PasswordChangeView):
    form_class = ChangePasswordForm
    title = _("Change password")
    success_url = reverse_lazy("admin:index")


class PasswordSetView(PageOfOwnMixin, allauth_views.PasswordSetView):
    form_class = SetPasswordForm
    title = _("Set a password")
    success_url = reverse_lazy("admin:index")


class PasswordResetView(allauth_views.PasswordResetView):
    form_class = ResetPasswordForm

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_can_leave": mail_can_leave()}


class PasswordResetDoneView(allauth_views.PasswordResetDoneView):
    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail_can_leave": mail_can_leave()}


class PasswordResetFromKeyView(allauth_views.PasswordResetFromKeyView):
    form_class = ResetPasswordKeyForm


def mail_can_leave() -> bool:
    """Whether this instance has a Gmail account through which a reset mail could leave."""
    return GmailAccount.objects.filter(state=GmailAccount.State.READY).exists()
