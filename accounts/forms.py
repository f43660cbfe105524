"""The forms of the log-in and sign-up pages: allauth's, with labels instead of placeholders."""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User, Workspace
from accounts.signup import sign_up

PASSWORD_HELP = _("At least 8 characters. Not only digits, not a common word, not your address.")


class LabelledForm(forms.Form):
    """Mix in first: what a field is for stands above it, and does not vanish while typing."""

    labels: dict[str, Any] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.widget.attrs.pop("placeholder", None)
            field.label = self.labels.get(name, field.label)
            if name == "password1":
                field.help_text = PASSWORD_HELP


class LoginForm(LabelledForm, allauth_forms.LoginForm):
    labels = {"login": _("E-mail address")}


class SignupForm(LabelledForm, allauth_forms.SignupForm):
    workspace_name = forms.CharField(
        label=_("Name of your organisation"),
        max_length=Workspace._meta.get_field("name").max_length,
        help_text=_("Your shop, club, school or company. You can change it later."),
    )
    field_order = ["email", "password1", "password2", "workspace_name"]
    labels = {"email": _("E-mail address"), "password2": _("Password, once more")}

    def clean_workspace_name(self) -> str:
        name: str = self.cleaned_data["workspace_name"]
        if Workspace.objects.filter(name__iexact=name).exists():
            raise forms.ValidationError(
                _("There is already a workspace with this name. Choose another.")
            )
        return name

    def save(self, request: HttpRequest) -> User:
        """Raises SignupClosed, EmailTaken, WorkspaceNameTaken."""
        values = self.cleaned_data
        return sign_up(values["email"], values["password1"], values["workspace_name"]).user


class ChangePasswordForm(LabelledForm, allauth_forms.ChangePasswordForm):
    labels = {
        "oldpassword": _("Password now"),
        "password1": _("New password"),
        "password2": _("New password, once more"),
    }


class SetPasswordForm(LabelledForm, allauth_forms.SetPasswordForm):
    labels = {"password1": _("Password"), "password2": _("Password, once more")}


class ResetPasswordForm(LabelledForm, allauth_forms.ResetPasswordForm):
    labels = {"email": _("E-mail address")}


class ResetPasswordKeyForm(LabelledForm, allauth_forms.ResetPasswordKeyForm):
    labels = {"password1": _("New password"), "password2": _("New password, once more")}
