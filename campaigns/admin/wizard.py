"""The campaign wizard: audience, template, when, review, launch.

Each step saves into a draft, so that it can be left and taken up again anywhere. Script only makes
the counts and the forecast move; every step is a plain form.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from functools import wraps
from itertools import chain, count
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, time_format
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import User, Workspace
from accounts.pages_context import page_context
from accounts.tenancy import visible, visible_or_404, workspace_of
from campaigns import checklist, content, launch
from campaigns.admin.template_remarks import with_code
from campaigns.admin.wizard_forms import (
    DAY_NAMES,
    AudienceForm,
    TemplateForm,
    WhenForm,
    accounts_of,
    lists_of,
    zone_of,
)
from campaigns.contacts import audience as audiences
from campaigns.contacts.address import BEYOND_ASCII
from campaigns.delivery import snapshot
from campaigns.models import Campaign
from campaigns.models.campaign import WEEKDAYS
from campaigns.reports import status, wording
from campaigns.reports.outlook import outlook_of

TITLES = {
    "audience": gettext_lazy("Audience"),
    "template": gettext_lazy("Template"),
    "when": gettext_lazy("When"),
    "review": gettext_lazy("Review"),
}
STEPS = list(TITLES)
# The first few messages, shown as their recipients get them.
SAMPLES = 3
NAMED_LEFT_OUT = 5

DraftView = Callable[[AdminSite, HttpRequest, Campaign], HttpResponse]


def of_draft(view: DraftView) -> Callable[[AdminSite, HttpRequest, int], HttpResponse]:
    """Give the view its draft; what was launched meanwhile has a page of its own.

    A POST holds the campaign's lock: a step must not write over a launch.
    """

    @wraps(view)
    def with_draft(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
        if request.method == "POST":
            with transaction.atomic():
                return _with_draft(site, request, pk, Campaign.objects.select_for_update())
        return _with_draft(site, request, pk, Campaign.objects.select_related("workspace"))

    def _with_draft(site: AdminSite, request: HttpRequest, pk: int, rows: Any) -> HttpResponse:
        campaign = visible_or_404(rows, request, pk)
        if campaign.state != Campaign.State.DRAFT:
            messages.info(request, _("This campaign was launched already."))
            return redirect("admin:campaigns_campaign_page", campaign.pk)
        return view(site, request, campaign)

    return with_draft


def step_to_do(campaign: Campaign) -> str:
    """Where somebody who comes back goes on: the first step that is not done."""
    return next((step for step in STEPS[:-1] if not _is_done(campaign, step)), STEPS[-1])


def _is_done(campaign: Campaign, step: str) -> bool:
    if campaign.pk is None:
        return False
    match step:
        case "audience":
            return campaign.lists.exists()
        case "template":
            return campaign.template_id is not None
        case "when":
            return campaign.campaign_accounts.exists()
        case _:
            return False


# --- The steps -------------------------------------------------------------------------------


def new(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first step of a campaign that is not there yet; it is made when the step is saved."""
    today = timezone.localdate(timezone=zone_of(workspace_of(request), []))
    author = request.user if isinstance(request.user, User) else None
    workspace = workspace_of(request)
    unsaved = Campaign(workspace=workspace, created_by=author, name=_first_name(workspace, today))
    return _audience(site, request, unsaved)


def _first_name(workspace: Workspace, today: date) -> str:
    """One that no campaign has yet, until its author finds a better one."""
    name = _("Campaign of %(day)s") % {"day": date_format(today, "j F Y")}
    taken = visible(Campaign.objects.filter(name__startswith=name), workspace)
    names = set(taken.values_list("name", flat=True))
    numbered = (f"{name} ({number})" for number in count(2))
    return next(each for each in chain([name], numbered) if each not in names)


@of_draft
def audience(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    return _audience(site, request, campaign)


def _audience(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    form = AudienceForm(request.POST if request.method == "POST" else None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        form.save()
        return _after(request, campaign, "audience")
    chosen = form.cleaned_data.get("lists") if form.is_bound else None
    if chosen is None:
        chosen = campaign.lists.all() if campaign.pk else []
    context = audience_context(campaign, chosen)
    return _step(site, request, campaign, "audience", form=form, **context)


def audience_count(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """How many the lists that are ticked come to, for the page to show at once."""
    workspace = workspace_of(request)
    ticked = set(request.GET.getlist("lists"))
    # Compared here: no database takes a number of any size.
    chosen = [one for one in lists_of(workspace) if str(one.pk) in ticked]
    context = audience_context(Campaign(workspace=workspace), chosen)
    return render(request, "campaigns/wizard/audience_count.html", context)


def audience_context(campaign: Campaign, chosen: Any) -> dict[str, Any]:
    people = audiences.members(campaign.workspace, chosen)
    left_out = audiences.suppressed(people)
    reachable = audiences.reachable(people)
    return {
        "chosen": bool(chosen),
        "reached": reachable.count(),
        "odd": reachable.exclude(suspicious__in=("", BEYOND_ASCII)).count(),
        "unsendable": reachable.filter(suspicious=BEYOND_ASCII).count(),
        "left_out": left_out.count(),
        "left_out_first": left_out.order_by("id").values_list("email", flat=True)[:NAMED_LEFT_OUT],
    }


@of_draft
def template(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    form = TemplateForm(request.POST if request.method == "POST" else None, instance=campaign)
    if request.method == "POST" and form.is_valid():
        form.save()
        return _after(request, campaign, "template")
    fields = content.known_fields(campaign.workspace)
    choices = [(choice, choice.data["value"].instance) for choice in form["template"]]
    offered = [
        (choice, one, list(map(with_code, content.template_problems(one, fields))))
        for choice, one in choices
    ]
    return _step(site, request, campaign, "template", form=form, offered=offered)


@of_draft
def when(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    now = timezone.now()
    form = WhenForm(campaign, now, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return _after(request, campaign, "when")
    accounts = list(accounts_of(campaign.workspace))
    uses = {use.account.pk: use for use in status.uses_of(accounts, now)}
    choices = [(choice, choice.data["value"].instance) for choice in form["accounts"]]
    offered = [
        (choice, uses[account.pk], snapshot.ever_has_room(account, now))
        for choice, account in choices
    ]
    return _step(
        site,
        request,
        campaign,
        "when",
        form=form,
        offered=offered,
        zones=sorted({account.time_zone for account in accounts}),
        counted=[form["track_opens"], form["track_clicks"]],
        **_outlook_context(form, campaign),
    )


@of_draft
def forecast(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """The forecast for what is in the form of the step "when", saved or not."""
    form = WhenForm(campaign, timezone.now(), request.GET)
    context = _outlook_context(form, campaign)
    return render(request, "campaigns/wizard/forecast.html", context)


def _outlook_context(form: WhenForm, campaign: Campaign) -> dict[str, Any]:
    """The forecast for the form as it stands: what was typed, or else what is saved."""
    if form.is_bound:
        if not form.is_valid():
            return {"outlook": None, "errors": _sentences(form)}
        form.fill()
        accounts = list(form.cleaned_data["accounts"])
    else:
        accounts = list(form.initial["accounts"])
        if not accounts:
            return {"outlook": None, "errors": []}
    recipients = checklist.recipients_of(campaign).count()
    zone = zone_of(campaign.workspace, accounts)
    return {"outlook": outlook_of(campaign, recipients, accounts, form.now, zone)}


def _sentences(form: Form) -> list[str]:
    return [str(sentence) for errors in form.errors.values() for sentence in errors]


# --- Review and launch -----------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """A line of the checklist, and where it is mended."""

    check: checklist.Check
    sentence: SafeString
    url: str
    link: str


@of_draft
def review(site: AdminSite, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    now = timezone.now()
    accounts = list(campaign.accounts.order_by("id"))
    zone = zone_of(campaign.workspace, accounts)
    recipients = checklist.recipients_of(campaign)
    count = recipients.count()
    checks = checklist.lines(campaign, now)
    red = [check for check in checks if not check.ok]
    return _step(
        site,
        request,
        campaign,
        "review",
        accounts=accounts,
        lists=campaign.lists.all(),
        zone=zone,
        days=_days(campaign),
        hours=_hours(campaign),
        start=wording.moment(campaign.start_at, now, zone) if campaign.start_at else "",
        start_is_over=bool(campaign.start_at and campaign.start_at <= now),
        lines=[_line(campaign, check) for check in checks],
        red=red,
        count=count,
        outlook=outlook_of(campaign, count, accounts, now, zone) if not red else None,
        samples=recipients.order_by("id")[:SAMPLES] if campaign.template else [],
    )


def _days(campaign: Campaign) -> str:
    days = campaign.days.split(",")
    if days == list(WEEKDAYS):
        return _("every day")
    return ", ".join(str(DAY_NAMES[day]) for day in days if day)


def _hours(campaign: Campaign) -> str:
    start, end = campaign.hours_from, campaign.hours_to
    if not (start or end):
        return _("all day and night")
    named = {
        "start": time_format(start or time.min, "H:i"),
        "end": time_format(end, "H:i") if end else "24:00",
    }
    return _("%(start)s to %(end)s") % named


def _line(campaign: Campaign, check: checklist.Check) -> Line:
    return Line(check, with_code(check.sentence), *_mended_at(campaign, check))


def _mended_at(campaign: Campaign, check: checklist.Check) -> tuple[str, str]:
    """The page on which this line of the checklist turns green, and what to call the way there."""
    match check.name:
        case "postal_address":
            return reverse("admin:settings"), _("Settings")
        case "public_address":
            return reverse("admin:public_address"), _("Public address")
        case "template" | "empty_field" if campaign.template_id:
            url = reverse("admin:campaigns_template_change", args=[campaign.template_id])
            return url, _("Open the template")
        case "account" if campaign.campaign_accounts.exists():
            return reverse("admin:accounts_gmailaccount_changelist"), _("Gmail accounts")
    step = {"audience": "audience", "account": "when", "hours": "when"}.get(check.name, "template")
    return _url(step, campaign), _("Go to the step “%(step)s”") % {"step": TITLES[step]}


def launch_now(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """POST only. A second click finds the campaign launched, and leads to its page."""
    campaign = visible_or_404(Campaign.objects.all(), request, pk)
    page = redirect("admin:campaigns_campaign_page", campaign.pk)
    try:
        count = launch.launch(campaign.pk, timezone.now())
    except Campaign.DoesNotExist as error:
        # Deleted at the same moment.
        raise Http404 from error
    except launch.NotADraft:
        messages.info(request, _("This campaign was launched already."))
        return page
    except launch.NotReady:
        messages.error(request, _("Not launched. See what is red below."))
        return redirect(_url("review", campaign))
    sentence = ngettext(
        "Launched. %(count)s message is on its way; its content will not change any more.",
        "Launched. %(count)s messages are on their way; their content will not change any more.",
        count,
    )
    messages.success(request, sentence % {"count": wording.number(count)})
    return page


# --- What the steps share --------------------------------------------------------------------


def _step(
    site: AdminSite, request: HttpRequest, campaign: Campaign, step: str, **more: Any
) -> HttpResponse:
    steps = [
        {
            "title": TITLES[one],
            "url": _url(one, campaign) if campaign.pk else "",
            "current": one == step,
            "done": _is_done(campaign, one),
        }
        for one in STEPS
    ]
    back = STEPS[STEPS.index(step) - 1] if step != STEPS[0] else ""
    context = page_context(
        site,
        request,
        campaign.name if campaign.pk else _("New campaign"),
        crumbs=[(_("Campaigns"), reverse("admin:campaigns_campaign_changelist"))],
        campaign=campaign,
        steps=steps,
        back=_url(back, campaign) if back else "",
        **more,
    )
    return TemplateResponse(request, f"campaigns/wizard/{step}.html", context)


def _after(request: HttpRequest, campaign: Campaign, step: str) -> HttpResponse:
    """On to the next step, or back to this one for whoever wants to see what was saved."""
    if "stay" not in request.POST:
        step = STEPS[STEPS.index(step) + 1]
    return redirect(_url(step, campaign))


def _url(step: str, campaign: Campaign) -> str:
    return reverse(f"admin:campaigns_campaign_{step}", args=[campaign.pk])
