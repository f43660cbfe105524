"""Launching a campaign: the checklist, the freeze, and one message for every recipient."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import ledger
from accounts.models import GmailAccount, LedgerRow, Workspace
from accounts.tenancy import visible
from campaigns import states
from campaigns.contacts import audience
from campaigns.models import Campaign, Contact, ContactField, Message, Revision, Template
from campaigns.rendering import merge, text
from campaigns.rendering.fields import STANDARD_FIELDS, WORKSPACE_FIELDS


@dataclass(frozen=True)
class Check:
    """One line of the checklist. A warning does not keep anybody from launching."""

    name: str
    ok: bool
    sentence: str
    warning: bool = False


class NotReady(Exception):
    """The checklist is not green. `checks` holds the lines that are red."""

    def __init__(self, checks: list[Check]) -> None:
        super().__init__(" ".join(check.sentence for check in checks))
        self.checks = checks


class NotADraft(Exception):
    """The campaign was launched already."""


# --- The checklist ---------------------------------------------------------------------------


def checklist(campaign: Campaign, now: datetime) -> list[Check]:
    """Everything that must be right before launch, each with what to do about it."""
    return [
        _template_check(campaign),
        _audience_check(campaign),
        *_account_checks(campaign, now),
        _hours_check(campaign),
        _postal_address_check(campaign.workspace),
        *_empty_field_checks(campaign),
    ]


def recipients_of(campaign: Campaign) -> QuerySet[Contact]:
    return audience.reachable(audience.members(campaign.workspace, campaign.lists.all()))


def known_fields(workspace: Workspace) -> set[str]:
    """Every merge field a template of this workspace may use."""
    names = visible(ContactField.objects.all(), workspace).values_list("name", flat=True)
    return {*STANDARD_FIELDS, *WORKSPACE_FIELDS, *names}


def _template_check(campaign: Campaign) -> Check:
    template = campaign.template
    if template is None:
        return Check("template", False, _("Choose a template."))
    if not template.subject.strip():
        return Check("template", False, _("The template has no subject. Write one."))
    problems = template_problems(template, known_fields(campaign.workspace))
    if problems:
        return Check("template", False, " ".join(problems))
    return Check("template", True, _("The template is complete."))


def template_problems(template: Template, fields: set[str]) -> list[str]:
    """A sentence for everything in the template's merge fields that keeps it from being sent."""
    return [
        _("%(where)s: %(problem)s") % {"where": where, "problem": problem.sentence}
        for where, source in ((_("Subject"), template.subject), (_("Message"), template.html))
        for problem in merge.check(source, fields)
    ]


def _audience_check(campaign: Campaign) -> Check:
    people = audience.members(campaign.workspace, campaign.lists.all())
    count = audience.reachable(people).count()
    left_out = audience.suppressed(people).count()
    if not count:
        return Check("audience", False, _("Nobody would get this. Choose a list with contacts."))
    sentence = ngettext("%(count)s recipient.", "%(count)s recipients.", count)
    sentence %= {"count": _with_separators(count)}
    if left_out:
        sentence += " " + ngettext(
            "%(count)s suppressed person is left out.",
            "%(count)s suppressed people are left out.",
            left_out,
        ) % {"count": _with_separators(left_out)}
    return Check("audience", True, sentence)


def _account_checks(campaign: Campaign, now: datetime) -> list[Check]:
    accounts = list(campaign.accounts.all())
    if not accounts:
        return [Check("account", False, _("Choose a Gmail account to send from."))]
    return [_account_check(account, now) for account in accounts]


def _account_check(account: GmailAccount, now: datetime) -> Check:
    named = {"address": account.address}
    if account.state != GmailAccount.State.READY:
        sentence = _("The account %(address)s is not connected. Connect it again.") % named
        return Check("account", False, sentence)
    if ledger.limits(account).for_campaigns(now) < 1:
        sentence = _(
            "The account %(address)s has nothing left for campaigns: its limit, less what is kept "
            "free, is 0. "
            "Raise the limit of the account."
        )
        return Check("account", False, sentence % named)
    return Check("account", True, _("The account %(address)s is connected.") % named)


def _hours_check(campaign: Campaign) -> Check:
    if not campaign.days:
        return Check("hours", False, _("Choose at least one weekday."))
    start, end = campaign.hours_from, campaign.hours_to
    if start and end and start >= end:
        return Check("hours", False, _("The hours must end later than they begin."))
    return Check("hours", True, _("There is time to send."))


def _postal_address_check(workspace: Workspace) -> Check:
    if not workspace.postal_address.strip():
        sentence = _(
            "You have given no postal address yet, and the law asks for one in every campaign "
            "mail. Write it in Settings."
        )
        return Check("postal_address", False, sentence)
    return Check("postal_address", True, _("Your postal address stands at the foot."))


def _empty_field_checks(campaign: Campaign) -> list[Check]:
    """A warning for each merge field that comes out empty for somebody."""
    template = campaign.template
    if template is None:
        return []
    people = recipients_of(campaign)
    known = known_fields(campaign.workspace)
    checks = []
    for field in sorted(_fields_without_fallback(template.subject, template.html) & known):
        count = audience.without_value(people, field).count()
        if count:
            sentence = ngettext(
                "“%(field)s” is empty for %(count)s person. Give it a fallback in the template.",
                "“%(field)s” is empty for %(count)s people. Give it a fallback in the template.",
                count,
            ) % {"field": field, "count": _with_separators(count)}
            checks.append(Check("empty_field", True, sentence, warning=True))
    return checks


def _with_separators(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def _fields_without_fallback(*sources: str) -> set[str]:
    try:
        empty = {field for source in sources for field in merge.empty_fields(source, {})}
    except merge.MergeError:
        return set()
    return empty - set(WORKSPACE_FIELDS)


# --- The launch ------------------------------------------------------------------------------


@transaction.atomic
def launch(campaign_id: int, now: datetime) -> int:
    """Freeze content and audience, write one message a recipient, and start; returns how many.

    Raises NotReady with what is missing, NotADraft when it was launched before.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.state != Campaign.State.DRAFT:
        raise NotADraft
    missing = [check for check in checklist(campaign, now) if not check.ok]
    if missing:
        raise NotReady(missing)
    _freeze_content(campaign)
    count = _write_messages(campaign, now)
    if not count:
        # Everybody was taken away since the checklist looked.
        raise NotReady([_audience_check(campaign)])
    states.move_campaign(
        campaign.pk,
        Campaign.State.DRAFT,
        Campaign.State.SENDING,
        launched_at=now,
        recipients=count,
    )
    return count


def _freeze_content(campaign: Campaign) -> Revision:
    template = campaign.template
    if template is None:
        raise NotReady([_template_check(campaign)])
    html = with_footer(template.html)
    return Revision.objects.create(
        campaign=campaign,
        number=1,
        subject=template.subject,
        html=html,
        text=text.plain_text(html),
    )


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


def _write_messages(campaign: Campaign, now: datetime) -> int:
    """One message for every recipient, in one statement."""
    recipients = recipients_of(campaign).order_by("id").values_list("pk", "email")
    select, parameters = recipients.query.sql_with_params()
    random_name = {
        "sqlite": "lower(hex(randomblob(16)))",
        "postgresql": "replace(gen_random_uuid()::text, '-', '')",
    }[connection.vendor]
    message_id = f"'<' || {random_name} || '@' || %s || '>'"
    table = connection.ops.quote_name(Message._meta.db_table)
    moment = connection.ops.adapt_datetimefield_value(now)
    # No value of a person stands in this text: names of columns, and parameters.
    statement = f"""
        INSERT INTO {table} (
            workspace_id, campaign_id, contact_id, to_email, message_id, source, state,
            step, revision, reply, claim_holder, attempts, not_before, created_at
        )
        WITH recipient (id, email) AS ({select})
        SELECT %s, %s, recipient.id, recipient.email, {message_id}, %s, %s,
            1, 1, '', '', 0, %s, %s
        FROM recipient
    """  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            statement,
            [
                *parameters,
                campaign.workspace_id,
                campaign.pk,
                _message_id_domain(campaign),
                LedgerRow.Source.CAMPAIGN.value,
                Message.State.WAITING.value,
                moment,
                moment,
            ],
        )
        return int(cursor.rowcount)


def _message_id_domain(campaign: Campaign) -> str:
    """The sender's own: RFC 5322 3.6.4 asks for a domain that keeps the identifier unique."""
    account = campaign.accounts.order_by("id").first()
    if account is None:
        raise NotReady(_account_checks(campaign, campaign.created_at))
    return account.address.rpartition("@")[2].encode("idna").decode()
