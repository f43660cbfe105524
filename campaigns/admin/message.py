"""Messages: the list with its filters, its download, and what may be decided about several."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.paginator import InfinitePaginator

from accounts.owned_admin import OwnedAdmin
from accounts.tenancy import visible, workspace_of
from campaigns.admin import message_page, several_messages
from campaigns.admin.badges import message_badge
from campaigns.admin.came_back_filter import (
    CameBackFilter,
    CameOnFilter,
    LinkFilter,
    SentOnFilter,
)
from campaigns.admin.message_page import zone_of
from campaigns.admin.messages_link import CAMPAIGN, NO_CAMPAIGN
from campaigns.admin.state_links import PARAMETER, StateList, state_links
from campaigns.models import Campaign, Message
from campaigns.reports import doubts, wording
from campaigns.reports.export import as_csv


@admin.register(Message)
class MessageAdmin(OwnedAdmin):
    list_display = ("recipient", "campaign_name", "state_badge", "account", "sent", "reply_start")
    list_select_related = ("campaign", "account")
    linked_lookups = (CAMPAIGN, NO_CAMPAIGN, PARAMETER)
    list_filter = (CameBackFilter, SentOnFilter, CameOnFilter, LinkFilter)
    search_fields = ("to_email",)
    search_help_text = _("Address of the recipient")
    actions = several_messages.ACTIONS
    # Only what was ticked: nobody decides about what they have not seen.
    list_disable_select_all = True
    # Counting a million rows takes longer than showing fifty.
    paginator = InfinitePaginator
    change_list_template = "campaigns/message_list.html"
    list_before_template = "campaigns/state_links.html"
    empty_icon = "mail"
    empty_title = _("No messages yet")
    empty_text = _("Launching a campaign writes one message for every recipient.")
    empty_link = (_("New campaign"), "admin:campaigns_campaign_add")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Message]:
        messages: QuerySet[Message] = super().get_queryset(request)
        # Not joined: SQLite would begin with the workspace, and sort all of its messages.
        return messages.defer("raw").prefetch_related("workspace")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never: who was written to stays known, or somebody could get it twice."""
        return False

    # --- The list ----------------------------------------------------------------------------

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Without the campaign where all are of one."""
        columns = list(self.list_display)
        if CAMPAIGN in request.GET:
            columns.remove("campaign_name")
        return columns

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """A campaign in the order in which it leaves, everything with the newest first."""
        return ("pk",) if CAMPAIGN in request.GET else ("-pk",)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Only where the list shows one state alone, in which they are possible."""
        offered = several_messages.offered_in(request.GET.get(PARAMETER))
        theirs: dict[str, Any] = super().get_actions(request)
        return {name: action for name, action in theirs.items() if name in offered}

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[StateList]:
        return StateList

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "state_links": state_links(request, Message.State),
            "filtered_campaign": self._filtered_campaign(request),
            "without_campaign": _without(request, CAMPAIGN),
        }
        page: HttpResponse = super().changelist_view(request, context)
        return page

    def _filtered_campaign(self, request: HttpRequest) -> Campaign | None:
        pk = request.GET.get(CAMPAIGN, "")
        if not pk.isdecimal():
            return None
        return visible(Campaign.objects.filter(pk=pk), workspace_of(request)).first()

    @admin.display(description=_("to"), ordering="to_email")
    def recipient(self, message: Message) -> str:
        return message.recipient

    @admin.display(description=_("campaign"))
    def campaign_name(self, message: Message) -> SafeString | str:
        if message.campaign is None:
            return message.get_source_display()
        url = reverse("admin:campaigns_campaign_page", args=[message.campaign.pk])
        return format_html('<a href="{}">{}</a>', url, message.campaign.name)

    @admin.display(description=_("state"), ordering="state")
    def state_badge(self, message: Message) -> SafeString:
        return message_badge(message)

    @admin.display(description=_("sent"), ordering="sent_at")
    def sent(self, message: Message) -> str:
        if message.sent_at is None:
            return "–"
        return wording.moment(message.sent_at, timezone.now(), zone_of(message))

    @admin.display(description=_("reply"))
    def reply_start(self, message: Message) -> str:
        longest = 60
        if message.state == Message.State.IN_DOUBT:
            return doubts.in_short(message, timezone.now(), zone_of(message))
        reply = message.reply
        return reply if len(reply) <= longest else f"{reply[:longest]}…"

    def export(self, request: HttpRequest) -> HttpResponse | StreamingHttpResponse:
        """The list as it is filtered, as CSV."""
        filtered = self.shown_rows(request)
        zone = ZoneInfo(workspace_of(request).time_zone)
        return StreamingHttpResponse(
            as_csv(filtered.order_by("pk"), zone),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="messages.csv"'},
        )

    def get_urls(self) -> list[URLPattern]:
        export = self.admin_site.admin_view(require_safe(self.export))
        theirs: list[URLPattern] = super().get_urls()
        return [
            path("export/", export, name="campaigns_message_export"),
            *message_page.urls(self.admin_site),
            *theirs,
        ]

    # --- One message -------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        return message_page.page(self.admin_site, request, object_id)


def _without(request: HttpRequest, parameter: str) -> str:
    query = request.GET.copy()
    query.pop(parameter, None)
    query.pop("p", None)
    return "?" + query.urlencode()
