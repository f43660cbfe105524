"""Launching a campaign: the freeze, and one message for every recipient."""

from datetime import datetime

from django.db import connection, transaction

from accounts.models import LedgerRow
from campaigns import checklist, content, states, tracking
from campaigns.checklist import Check
from campaigns.delivery.message_id import domain_of
from campaigns.models import Campaign, Message, Revision
from campaigns.rendering import text


class NotReady(Exception):
    """The checklist is not green. `checks` holds the lines that are red."""

    def __init__(self, checks: list[Check]) -> None:
        super().__init__(" ".join(check.sentence for check in checks))
        self.checks = checks


class NotADraft(Exception):
    """The campaign was launched already."""


@transaction.atomic
def launch(campaign_id: int, now: datetime) -> int:
    """Freeze content and audience, write one message a recipient, and start; returns how many.

    Raises NotReady with what is missing, NotADraft when it was launched before.
    """
    campaign = Campaign.objects.select_for_update().get(pk=campaign_id)
    if campaign.state != Campaign.State.DRAFT:
        raise NotADraft
    missing = [check for check in checklist.lines(campaign, now) if not check.ok]
    if missing:
        raise NotReady(missing)
    _freeze_content(campaign)
    count = _write_messages(campaign, now)
    if not count:
        # Everybody was taken away since the checklist looked.
        raise NotReady([checklist.audience_check(campaign)])
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
        raise NotReady([checklist.template_check(campaign)])
    html = content.with_footer(template.html)
    revision = Revision.objects.create(
        campaign=campaign,
        number=1,
        subject=template.subject,
        html=html,
        text=text.plain_text(html),
    )
    tracking.freeze_links(revision)
    return revision


def _write_messages(campaign: Campaign, now: datetime) -> int:
    """One message for every recipient, in one statement."""
    recipients = checklist.recipients_of(campaign).order_by("id").values_list("pk", "email")
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
            step, revision, reply, claim_holder, attempts, times_sent_again, held_why,
            not_before, created_at
        )
        WITH recipient (id, email) AS ({select})
        SELECT %s, %s, recipient.id, recipient.email, {message_id}, %s, %s,
            1, 1, '', '', 0, 0, '', %s, %s
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
    account = campaign.accounts.order_by("id").first()
    if account is None:
        raise NotReady(checklist.account_checks(campaign, campaign.created_at))
    return domain_of(account.address)
