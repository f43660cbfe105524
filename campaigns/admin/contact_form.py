"""Adding and changing a contact by hand: its lists, and every field that the workspace knows."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts.address import AddressRefused, email_key, normalise
from campaigns.contacts.reader import LONGEST_FIELD
from campaigns.contacts.reasons import SENTENCES
from campaigns.models import Contact, ContactField, ContactList

_FIELD = "field_"


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """Made for one workspace by `contact_form`."""

    workspace: Workspace

    class Meta:
        model = Contact
        fields = ("email", "first_name", "last_name", "consent")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk is not None:
            self.initial["on_lists"] = list(self.instance.lists.all())
            for name, value in self.instance.fields.items():
                self.initial[_FIELD + name] = value

    def clean_email(self) -> str:
        try:
            address = normalise(self.cleaned_data["email"])
        except AddressRefused as refused:
            raise forms.ValidationError(SENTENCES[refused.reason]) from refused
        known = visible(Contact.objects.all(), self.workspace)
        if known.filter(email_key=email_key(address.email)).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is already a contact with this address."))
        self.instance.suspicious = (address.suspicious or "")[:200]
        return address.email

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        given = {
            name.removeprefix(_FIELD): value.strip()
            for name, value in values.items()
            if name.startswith(_FIELD)
        }
        merged = self.instance.fields | given
        self.instance.fields = {name: value for name, value in merged.items() if value}
        return values


def contact_form(workspace: Workspace) -> type[ContactForm]:
    """The form for the contacts of this workspace, with its lists and fields."""
    attributes: dict[str, Any] = {
        "workspace": workspace,
        "on_lists": forms.ModelMultipleChoiceField(
            label=_("Lists"),
            queryset=visible(ContactList.objects.all(), workspace),
            required=False,
            widget=UnfoldAdminCheckboxSelectMultipleWidget,
        ),
    }
    for field in visible(ContactField.objects.all(), workspace):
        attributes[_FIELD + field.name] = forms.CharField(
            label=field.label,
            required=False,
            max_length=LONGEST_FIELD,
            widget=UnfoldAdminTextInputWidget,
        )
    return type("WorkspaceContactForm", (ContactForm,), attributes)
