"""The merge fields that a template can use, as the editor offers them."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.models import ContactField


@dataclass(frozen=True, slots=True)
class Offer:
    """`code` is what a click puts into the message; `code_in_line` into the subject."""

    label: str
    code: str
    code_in_line: str

    @classmethod
    def of(cls, label: str, code: str, code_in_line: str = "") -> "Offer":
        return cls(label, code, code_in_line or code)


def offers(workspace: Workspace) -> list[Offer]:
    """The standard fields, then the workspace's own columns, then its address."""
    friend = _("there")
    own = visible(ContactField.objects.all(), workspace).values_list("name", "label")
    return [
        Offer.of(_("First name"), f'{{{{ first_name | default: "{friend}" }}}}'),
        Offer.of(_("Last name"), "{{ last_name }}"),
        Offer.of(_("Full name"), f'{{{{ name | default: "{friend}" }}}}'),
        Offer.of(_("E-mail address"), "{{ email }}"),
        *(Offer.of(label, f"{{{{ {name} }}}}") for name, label in own),
        Offer.of(
            _("Postal address"), "{{ postal_address | newline_to_br }}", "{{ postal_address }}"
        ),
    ]
