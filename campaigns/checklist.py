"""The checklist of a campaign: everything that must be right before launch."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import GmailAccount, Workspace
from campaigns import content, reachable
from campaigns.contacts import audience
from campaigns.delivery import snapshot
from campaigns.models import Campaign, Contact
from campaigns.rendering import merge
from campaigns.rendering.fields import LINK_FIELDS, PUBLIC_FIELDS, WORKSPACE_FIELDS


@dataclass(frozen=True)
class Check:
    """One line of the checklist. A warning does not keep anybody from launching."""

    name: str
    ok: bool
    sentence: str
    warning: bool = False


def lines(campaign: Campaign, now: datetime) -> list[Check]:
    """Everything that must be right before launch, each with what to do about it."""
    return [
        template_check(campaign),
        audience_check(campaign),
        *account_checks(campaign, now),
        _hours_check(campaign),
        _postal_address_check(campaign.workspace),
        *_empty_field_checks(campaign),
        *_public_address_checks(),
        *_counting_checks(campaign, now),
    ]


def recipients_of(campaign: Campaign) -> QuerySet[Contact]:
    return audience.reachable(audience.members(campaign.workspace, campaign.lists.all()))


def template_check(campaign: Campaign) -> Check:
    template = campaign.template
    if template is None:
        return Check("template", False, _("Choose a template."))
    if not template.subject.strip():
        return Check("template", False, _("The template has no subject. Write one."))
    problems = content.template_problems(template, content.known_fields(campaign.workspace))
    if problems:
        return Check("template", False, " ".join(problems))
    return Check("template", True, _("The template is complete."))


def audience_check(campaign: Campaign) -> Check:
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


def account_checks(campaign: Campaign, now: datetime) -> list[Check]:
    accounts = list(campaign.accounts.all())
    if not accounts:
        return [Check("account", False, _("Choose a Gmail account to send from."))]
    return [_account_check(account, now) for account in accounts]


def _account_check(account: GmailAccount, now: datetime) -> Check:
    named = {"address": account.address}
    if account.state != GmailAccount.State.READY:
        sentence = _("The account %(address)s is not connected. Connect it again.") % named
        return Check("account", False, sentence)
    if not snapshot.ever_has_room(account, now):
        sentence = _(
            "The account %(address)s has nothing left for campaigns: its limit, less what is kept "
            "free, is 0. "
            "Raise the limit of the account, or keep less free."
        )
        return Check("account", False, sentence % named)
    if account.from_address and account.keeps_from is False:
        sentence = _(
            "Gmail puts %(address)s in place of %(alias)s, which it has not verified. Either "
            "verify it in Gmail under “Send mail as” and run the doctor again, or leave “Address "
            "that recipients see” of the account empty."
        )
        named["alias"] = account.from_address
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
    known = content.known_fields(campaign.workspace)
    empty = _fields_without_fallback(template.subject, template.html)
    sentence = _(
        "“%(field)s” is empty for everybody, as this Daypost has no public address. "
        "Take its link out of the template."
    )
    checks = [
        Check("empty_field", True, sentence % {"field": field}, warning=True)
        for field in sorted(empty & set(PUBLIC_FIELDS))
        if not settings.PUBLIC_URL
    ]
    for field in sorted((empty & known) - set(LINK_FIELDS)):
        count = audience.without_value(people, field).count()
        if count:
            sentence = ngettext(
                "“%(field)s” is empty for %(count)s person. Give it a fallback in the template.",
                "“%(field)s” is empty for %(count)s people. Give it a fallback in the template.",
                count,
            ) % {"field": field, "count": _with_separators(count)}
            checks.append(Check("empty_field", True, sentence, warning=True))
    return checks


def _public_address_checks() -> list[Check]:
    """A warning where the links of every message would lead nowhere, as far as is known."""
    found = reachable.known()
    if found is None or not found.why_not:
        return []
    sentence = _(
        "Nobody reaches your public address, and so not the page to unsubscribe either: %(why)s"
    )
    return [Check("public_address", True, sentence % {"why": found.why_not}, warning=True)]


def _counting_checks(campaign: Campaign, now: datetime) -> list[Check]:
    if not (campaign.track_opens or campaign.track_clicks) or reachable.is_reachable(now):
        return []
    sentence = _(
        "Opens and clicks are counted only while your public address is reached, which it is not."
    )
    return [Check("public_address", True, sentence, warning=True)]


def _with_separators(count: int) -> str:
    return str(number_format(count, force_grouping=True))


def _fields_without_fallback(*sources: str) -> set[str]:
    try:
        empty = {field for source in sources for field in merge.empty_fields(source, {})}
    except merge.MergeError:
        return set()
    return empty - set(WORKSPACE_FIELDS)
