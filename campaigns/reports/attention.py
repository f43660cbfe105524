"""What needs a person: each with what happened, and what it is about."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import halts
from accounts.doctor.check import LABELS, Check, Name, from_rows
from accounts.models import CheckUp, GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns.models import Campaign, ContactImport, Message
from campaigns.planning.forecast import Forecast
from campaigns.reports import doubts, wording
from campaigns.reports.doubts import Doubts
from campaigns.reports.progress import Line

# An import with bad rows stops asking for attention after this.
IMPORTS_FOR = timedelta(days=7)
# A mailbox that could not be read may be tried for so long before it is told of.
UNHEARD_FOR = timedelta(hours=1)


class About(StrEnum):
    ACCOUNT = "account"
    HALTED = "halted"
    DOCTOR = "doctor"
    CAMPAIGN = "campaign"
    IN_DOUBT = "in_doubt"
    IMPORT = "import"


@dataclass(frozen=True)
class Need:
    """`pk` is the account's, campaign's or import's that it is about; 0 for no campaign's.

    `pressing`: something is to be done, not only to be known.
    """

    about: About
    pk: int
    what: str
    detail: str
    pressing: bool = True


def needs(
    workspace: Workspace,
    accounts: Sequence[GmailAccount],
    lines: Sequence[Line],
    plan: Forecast,
    now: datetime,
) -> list[Need]:
    """The most pressing first."""
    found = [
        *_accounts(accounts),
        *_halted(accounts),
        *_doctors(accounts),
        *_unheard(accounts, now),
        *_in_doubt(workspace, now),
        *_paused(lines),
        *_unplanned(lines, plan),
        *_imports(workspace, now),
    ]
    return sorted(found, key=lambda need: not need.pressing)


def _accounts(accounts: Sequence[GmailAccount]) -> list[Need]:
    return [
        Need(
            About.ACCOUNT,
            account.pk,
            _("%(address)s needs reconnecting.") % {"address": account.address},
            _("%(reason)s Its messages wait; nothing is lost.") % {"reason": account.state_reason}
            if account.state_reason
            else _("Its messages wait; nothing is lost."),
        )
        for account in accounts
        if account.state == GmailAccount.State.NEEDS_RECONNECTING
    ]


def _halted(accounts: Sequence[GmailAccount]) -> list[Need]:
    halted = halts.by_account(accounts)
    return [
        Need(
            About.HALTED,
            account.pk,
            _("Nothing leaves through %(address)s.") % {"address": account.address},
            halted[account.pk].reason,
        )
        for account in accounts
        if account.pk in halted
    ]


def _doctors(accounts: Sequence[GmailAccount]) -> list[Need]:
    """What the last check-up of each found, where the account itself is thought to be well."""
    ready = [account for account in accounts if account.state == GmailAccount.State.READY]
    check_ups = CheckUp.objects.filter(account__in=ready, finished_at__isnull=False)
    found = {check_up.account_id: from_rows(check_up.checks) for check_up in check_ups}
    return [
        _of_doctor(account, red)
        for account in ready
        if (red := [check for check in found.get(account.pk, []) if check.is_red])
    ]


def _unheard(accounts: Sequence[GmailAccount], now: datetime) -> list[Need]:
    """Mailboxes that could not be read for some time: who opts out there is not heard."""
    return [
        Need(
            About.ACCOUNT,
            account.pk,
            _("What comes back to %(address)s is not heard.") % {"address": account.address},
            _("%(why)s Until it can be read, whoever asks by mail to be left alone is not heard.")
            % {"why": account.inbound_trouble},
        )
        for account in accounts
        if account.state == GmailAccount.State.READY
        and account.inbound_trouble
        and now - (account.inbound_read_at or account.connected_at) > UNHEARD_FOR
    ]


def _of_doctor(account: GmailAccount, red: Sequence[Check]) -> Need:
    what = ngettext(
        "The doctor found something to mend at %(address)s.",
        "The doctor found %(count)s things to mend at %(address)s.",
        len(red),
    )
    detail = f"{LABELS[Name(red[0].name)]}: {red[0].detail}"
    named = {"address": account.address, "count": wording.number(len(red))}
    return Need(About.DOCTOR, account.pk, what % named, detail)


def _in_doubt(workspace: Workspace, now: datetime) -> list[Need]:
    """Of every campaign, also of one that is over, and of single mail."""
    in_doubt = Message.objects.filter(state=Message.State.IN_DOUBT)
    campaigns = visible(Campaign.objects.exclude(state=Campaign.State.DRAFT), workspace)
    rows = (
        in_doubt.filter(campaign__in=campaigns)
        .order_by("campaign_id")
        .values_list("campaign_id", "campaign__name")
        .annotate(**doubts.FIGURES)
    )
    zone = ZoneInfo(workspace.time_zone)
    found = [
        _of_campaign(campaign_id or 0, name, Doubts(*figures), now, zone)
        for campaign_id, name, *figures in rows
    ]
    # A test mail's fate is of no consequence.
    single = visible(in_doubt.filter(campaign=None), workspace).exclude(source="test")
    of_single = doubts.doubts_of(single)
    if of_single.count:
        found.append(_of_single(of_single, now, zone))
    return found


def _of_campaign(pk: int, name: str, figures: Doubts, now: datetime, zone: ZoneInfo) -> Need:
    what = ngettext(
        "%(count)s message of “%(campaign)s” is in doubt.",
        "%(count)s messages of “%(campaign)s” are in doubt.",
        figures.count,
    ) % {"count": wording.number(figures.count), "campaign": name}
    detail = doubts.sentence(figures, now, zone)
    return Need(About.IN_DOUBT, pk, what, detail, pressing=figures.held > 0)


def _of_single(figures: Doubts, now: datetime, zone: ZoneInfo) -> Need:
    what = ngettext(
        "%(count)s single mail is in doubt.", "%(count)s single mails are in doubt.", figures.count
    ) % {"count": wording.number(figures.count)}
    detail = doubts.sentence(figures, now, zone)
    return Need(About.IN_DOUBT, 0, what, detail, pressing=figures.held > 0)


def _paused(lines: Sequence[Line]) -> list[Need]:
    """Those that Daypost paused, with its reason; who paused one by hand knows."""
    return [
        Need(
            About.CAMPAIGN,
            line.campaign.pk,
            _("“%(campaign)s” is paused.") % {"campaign": line.campaign.name},
            line.campaign.state_reason,
        )
        for line in lines
        if line.campaign.state == Campaign.State.PAUSED and line.campaign.state_reason
    ]


def _unplanned(lines: Sequence[Line], plan: Forecast) -> list[Need]:
    return [
        Need(
            About.CAMPAIGN,
            line.campaign.pk,
            ngettext(
                "%(count)s message of “%(campaign)s” cannot leave.",
                "%(count)s messages of “%(campaign)s” cannot leave.",
                plan.unplanned[line.campaign.pk],
            )
            % {
                "count": wording.number(plan.unplanned[line.campaign.pk]),
                "campaign": line.campaign.name,
            },
            _("None of its accounts has room for them as things stand."),
        )
        for line in lines
        if line.campaign.pk in plan.unplanned
    ]


def _imports(workspace: Workspace, now: datetime) -> list[Need]:
    lately = ContactImport.objects.filter(
        state=ContactImport.State.FINISHED, invalid__gt=0, finished_at__gt=now - IMPORTS_FOR
    )
    rows = visible(lately, workspace).order_by("-id").values_list("pk", "file_name", "invalid")[:5]
    return [
        Need(
            About.IMPORT,
            pk,
            ngettext(
                "%(count)s row of %(file)s was not imported.",
                "%(count)s rows of %(file)s were not imported.",
                invalid,
            )
            % {"count": wording.number(invalid), "file": name},
            _("Download them with their reasons, mend them, and import again."),
        )
        for pk, name, invalid in rows
    ]
