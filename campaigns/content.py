"""What a template turns into when it is launched, and which merge fields it may use."""

from django.utils.html import escape
from django.utils.translation import gettext as _

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.models import ContactField, Template
from campaigns.rendering import merge
from campaigns.rendering.fields import LINK_FIELDS, STANDARD_FIELDS, WORKSPACE_FIELDS


def known_fields(workspace: Workspace) -> set[str]:
    """Every merge field a template of this workspace may use."""
    names = visible(ContactField.objects.all(), workspace).values_list("name", flat=True)
    return {*STANDARD_FIELDS, *WORKSPACE_FIELDS, *LINK_FIELDS, *names}


def template_problems(template: Template, fields: set[str]) -> list[str]:
    """A sentence for everything in the template's merge fields that keeps it from being sent."""
    return [
        _("%(where)s: %(problem)s") % {"where": where, "problem": problem.sentence}
        for where, source in ((_("Subject"), template.subject), (_("Message"), template.html))
        for problem in merge.check(source, fields)
    ]


def with_footer(html: str) -> str:
    """The content with the postal address and the link to leave, where it has not both itself."""
    fields = merge.fields_in(html)
    parts = []
    if "postal_address" not in fields:
        parts.append("<p>{{ postal_address | newline_to_br }}</p>")
    if "unsubscribe_url" not in fields:
        parts.append(f"<p>{_way_out()}</p>")
    if not parts:
        return html
    footer = (
        '<div style="margin-top: 32px; padding-top: 16px; color: #666666; '
        f'font-size: 13px; border-top: 1px solid #dddddd">{"".join(parts)}</div>'
    )
    body, end, rest = html.rpartition("</body>")
    return f"{body}{footer}\n{end}{rest}" if end else f"{html}\n{footer}"


def _way_out() -> str:
    question = escape(_("You no longer want these mails?"))
    leave = escape(_("Unsubscribe"))
    return f'{question} <a href="{{{{ unsubscribe_url }}}}" style="color: #666666">{leave}</a>'
