"""The forms of connecting a Gmail account. A secret that was typed is never given back."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from accounts.connect import ConnectError
from accounts.google_client import check_id, check_secret, read_file
from accounts.identity import LONGEST_NAME, checked_name
from accounts.models import GmailAccount


class ConnectForm(forms.Form):
    """A form whose last word is Gmail's: `refuse` puts its sentence where it belongs."""

    def refuse(self, error: ConnectError) -> None:
        self.add_error(error.field if error.field in self.fields else None, error.sentence)

    def add_error(self, field: str | None, error: Any) -> None:
        """Where several forms stand on a page, the browser goes to what was not accepted."""
        super().add_error(field, error)
        refused = [name for name in self.fields if name in self.errors] or list(self.fields)
        for name, each in self.fields.items():
            each.widget.attrs.pop("autofocus", None)
            if name == refused[0]:
                each.widget.attrs["autofocus"] = True


def secret_field(label: Any, **more: Any) -> forms.CharField:
    # "off" and not "current-password": the browser would offer the ordinary Google password.
    widget = forms.PasswordInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, widget=widget, strip=True, max_length=500, **more)


def app_password_field() -> forms.CharField:
    return secret_field(
        _("App password"),
        help_text=_("16 letters; spaces do not matter."),
        error_messages={"required": _("Paste the app password: 16 letters.")},
    )


def name_field() -> forms.CharField:
    return forms.CharField(
        label=_("Name that recipients see"),
        required=False,
        max_length=LONGEST_NAME,
        validators=[_validate_name],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Yours or your shop's. Without one they see the address alone."),
    )


def _validate_name(name: str) -> None:
    checked_name(name)


class AppPasswordForm(ConnectForm):
    address = forms.CharField(
        label=_("Gmail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "placeholder": "name@gmail.com"}),
        error_messages={"required": _("Type the address of the Gmail account.")},
    )
    password = app_password_field()
    display_name = name_field()
    smtp_security = forms.ChoiceField(
        label=_("Sending"),
        choices=GmailAccount.SmtpSecurity.choices,
        initial=GmailAccount.SmtpSecurity.SSL,
        help_text=_("Choose the other one where the network blocks port 465."),
    )


class PasswordAgainForm(ConnectForm):
    """For an account whose address is known already."""

    password = app_password_field()
    display_name = name_field()


class GoogleClientForm(ConnectForm):
    client_id = forms.CharField(
        label=_("Client id"),
        max_length=4000,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "1234567890-abc….apps.googleusercontent.com",
            }
        ),
        help_text=_("Or the whole JSON file of the client; then leave the secret empty."),
        error_messages={"required": _("Paste the client id.")},
    )
    client_secret = secret_field(
        _("Client secret"), error_messages={"required": _("Paste the client secret.")}
    )
    # The browser must let the secret be empty where the file is pasted.
    use_required_attribute = False

    @sensitive_variables()
    def __init__(self, data: Mapping[str, Any] | None = None, **more: Any) -> None:
        found = read_file(data.get("client_id", "")) if data else None
        if data and found:
            data = {**data, "client_id": found[0], "client_secret": found[1]}
        super().__init__(data, **more)

    @sensitive_variables()
    def full_clean(self) -> None:
        super().full_clean()
        # A secret that was pasted into the wrong field must not come back to the screen.
        if "client_id" in self.errors and "@" not in self.data.get("client_id", ""):
            self.data = {**self.data, "client_id": ""}

    def clean_client_id(self) -> str:
        return self._checked("client_id", check_id)

    def clean_client_secret(self) -> str:
        return self._checked("client_secret", check_secret)

    @sensitive_variables()
    def _checked(self, field: str, check: Callable[[str], None]) -> str:
        value: str = self.cleaned_data[field]
        try:
            check(value)
        except ConnectError as error:
            raise forms.ValidationError(error.sentence) from error
        return value


class AnswerForm(ConnectForm):
    answer = forms.CharField(
        label=_("Address that your browser ended on"),
        max_length=4000,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "http://localhost…/gmail/callback/?state=…&code=…",
            }
        ),
    )
