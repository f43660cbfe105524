"""What a template turns into when it is launched, and which merge fields it may use."""

from django.utils.html import escape
from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.models import ContactField, Template
from campaigns.rendering import merge
from campaigns.rendering.fields import STANDARD_FIELDS, WORKSPACE_FIELDS


def known_fields(workspace: Workspace) -> set[str]:
    """Every merge field a template of this workspace may use."""
    names = visible(ContactField.objects.all(), workspace).values_list("name", flat=True)
    return {*STANDARD_FIELDS, *WORKSPACE_FIELDS, *names}


def template_problems(template: Template, fields: set[str]) -> list[str]:
    """A sentence for everything in the template's merge fields that keeps it from being sent."""
    return [
        _("%(where)s: %(problem)s") % {"where": where, "problem": problem.sentence}
        for where, source in ((_("Subject"), template.subject), (_("Message"), template.html))
        for problem in merge.check(source, fields)
    ]


def with_footer(html: str) -> str:
    """The content with the postal address and the way to leave, unless it has the address."""
    if "postal_address" in merge.fields_in(html):
        return html
    leave = escape(_("You no longer want these mails? Reply with “unsubscribe”."))
    return (
        f'{html}\n<div style="margin-top: 32px; padding-top: 16px; color: #666666; '
        f'font-size: 13px; border-top: 1px solid #dddddd">'
        f"<p>{{{{ postal_address | newline_to_br }}}}</p><p>{leave}</p></div>"
    )
