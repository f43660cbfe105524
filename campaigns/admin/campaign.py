"""Campaigns: the list, and the way to the wizard (drafts) or the campaign page (launched)."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from accounts.owned_admin import OwnedAdmin
from accounts.tenancy import visible_or_404, workspace_of
from campaigns.admin import campaign_page, campaign_report, wizard
from campaigns.admin.badges import campaign_badge
from campaigns.admin.state_links import PARAMETER, StateList, state_links
from campaigns.models import Campaign
from campaigns.reports import progress, wording


class CampaignList(StateList):
    """A page of the list, with what only the messages and the forecast know of each campaign."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list: list[Campaign]
        lines = progress.lines_of(list(self.result_list), workspace_of(request), timezone.now())
        for line in lines:
            line.campaign.line = line  # type: ignore[attr-defined]
        self.result_list = [line.campaign for line in lines]


@admin.register(Campaign)
class CampaignAdmin(OwnedAdmin):
    list_display = ("title", "state_badge", "how_far", "finishes")
    list_display_links = None
    linked_lookups = (PARAMETER, "template__id__exact")
    search_fields = ("name",)
    search_help_text = _("Name of the campaign")
    actions = None
    change_list_template = "campaigns/campaign_list.html"
    list_before_template = "campaigns/state_links.html"
    empty_icon = "campaign"
    empty_title = _("No campaigns yet")
    empty_text = _(
        "A campaign sends a template to your lists, as many a day as Gmail allows, and tells you "
        "before the launch when the last one leaves."
    )
    empty_link = (_("New campaign"), "admin:campaigns_campaign_add")

    # --- The list ----------------------------------------------------------------------------

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StateList]:
        return CampaignList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        links = state_links(request, Campaign.State)
        page: HttpResponse = super().changelist_view(request, {"state_links": links})
        return page

    @admin.display(description=_("campaign"), ordering="name")
    def title(self, campaign: Campaign) -> SafeString:
        url = reverse("admin:campaigns_campaign_page", args=[campaign.pk])
        return format_html('<a href="{}">{}</a>', url, campaign.name)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, campaign: Campaign) -> SafeString:
        return campaign_badge(campaign)

    @admin.display(description=_("progress"))
    def how_far(self, campaign: Campaign) -> SafeString | str:
        line: progress.Line = campaign.line  # type: ignore[attr-defined]
        if campaign.state == Campaign.State.DRAFT:
            return "–"
        return format_html(
            '<div class="cp-how-far">'
            '<progress class="dp-progress" value="{}" max="{}" aria-label="{}"></progress>'
            '<p class="dp-progress-text">{}</p></div>',
            str(line.done),
            str(max(campaign.recipients, 1)),
            campaign.name,
            gettext("%(done)s of %(all)s")
            % {
                "done": wording.number(line.done),
                "all": wording.number(campaign.recipients),
            },
        )

    @admin.display(description=_("finishes"))
    def finishes(self, campaign: Campaign) -> str:
        line: progress.Line = campaign.line  # type: ignore[attr-defined]
        return line.finishes or "–"

    # --- One campaign ------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """One way: a draft is made in the wizard, what was launched has its page."""
        campaign = visible_or_404(Campaign.objects.all(), request, object_id)
        if campaign.state == Campaign.State.DRAFT:
            step = wizard.step_to_do(campaign)
            return redirect(f"admin:campaigns_campaign_{step}", campaign.pk)
        return redirect("admin:campaigns_campaign_page", campaign.pk)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a draft: who was written to stays known, or somebody could get it twice."""
        may = super().has_delete_permission(request, obj)
        return may and (obj is None or obj.state == Campaign.State.DRAFT)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Deleting holds the campaign's lock: what is being launched at this moment stays."""
        if request.method != "POST":
            page: HttpResponse = super().delete_view(request, object_id, extra_context)
            return page
        with transaction.atomic():
            rows = Campaign.objects.select_for_update()
            campaign = visible_or_404(rows, request, object_id)
            if campaign.state != Campaign.State.DRAFT:
                refused = _("Nothing was deleted: this campaign was launched already.")
                messages.warning(request, refused)
                return redirect("admin:campaigns_campaign_page", campaign.pk)
            answer: HttpResponse = super().delete_view(request, object_id, extra_context)
            return answer

    def get_urls(self) -> list[URLPattern]:
        def ours(
            route: str, view: Callable[..., HttpResponseBase], name: str, changes: bool = False
        ) -> URLPattern:
            on_site: Any = partial(view, self.admin_site)
            guarded = self.admin_site.admin_view(require_POST(on_site) if changes else on_site)
            url: URLPattern = path(route, guarded, name=f"campaigns_campaign_{name}")
            return url

        theirs: list[URLPattern] = super().get_urls()
        return [
            ours("add/", wizard.new, "add"),
            ours("audience/", wizard.audience_count, "count"),
            ours("<int:pk>/audience/", wizard.audience, "audience"),
            ours("<int:pk>/template/", wizard.template, "template"),
            ours("<int:pk>/when/", wizard.when, "when"),
            ours("<int:pk>/forecast/", wizard.forecast, "forecast"),
            ours("<int:pk>/review/", wizard.review, "review"),
            ours("<int:pk>/launch/", wizard.launch_now, "launch", changes=True),
            ours("<int:pk>/", campaign_page.page, "page"),
            ours("<int:pk>/live/", campaign_page.live, "live"),
            ours("<int:pk>/report/", campaign_report.page, "report"),
            ours("<int:pk>/report/download/", campaign_report.download, "report_download"),
            ours("<int:pk>/content/", campaign_page.content, "content"),
            ours("<int:pk>/content/shown/", campaign_page.content_document, "content_document"),
            ours("<int:pk>/pause/", campaign_page.pause, "pause", changes=True),
            ours("<int:pk>/resume/", campaign_page.resume, "resume", changes=True),
            ours("<int:pk>/cancel/", campaign_page.cancel, "cancel", changes=True),
            *theirs,
        ]
