"""The merge fields that a template can use, as the editor offers them."""

from dataclasses import dataclass

from django.conf import settings
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
    """The standard fields, the workspace's own columns, its address, and links of the message."""
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
        *_links(),
    ]


def _links() -> list[Offer]:
    """Each as a whole link: the address alone would not be one that can be touched."""
    links = [(_("Link to unsubscribe"), "unsubscribe_url", _("Unsubscribe"))]
    if settings.PUBLIC_URL:
        links += [
            (_("Link to the preferences"), "preferences_url", _("Choose what you get")),
            (_("Link to view in the browser"), "view_url", _("View in the browser")),
        ]
    return [
        Offer.of(label, f'<a href="{{{{ {field} }}}}">{text}</a>', f"{{{{ {field} }}}}")
        for label, field, text in links
    ]
