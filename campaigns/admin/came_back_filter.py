"""The list of messages by when they were sent, and by what came back of them, and when."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import visible, workspace_of
from campaigns.admin import messages_link
from campaigns.models import Event, Message, TrackedLink
from campaigns.reports import wording
from campaigns.reports.campaign_report import DELIVERED
from campaigns.reports.delivered import delivered
from campaigns.reports.periods import Period, begins, ends


class CameBackFilter(admin.SimpleListFilter):
    title = _("what came back")
    parameter_name = messages_link.CAME_BACK

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        kinds = [(kind.value, capfirst(str(kind.label))) for kind in Event.Kind]
        return [*kinds, (DELIVERED, _("Delivered as far as known"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = self.value()
        if chosen == DELIVERED:
            return delivered(queryset)
        if chosen not in Event.Kind.values:
            return queryset
        told = Event.objects.filter(message=OuterRef("pk"), kind=chosen, by_machine=False)
        if messages_link.CAME_ON in request.GET:
            first, end = _moments(request.GET[messages_link.CAME_ON])
            told = told.filter(at__gte=first, at__lt=end)
        if messages_link.LINK in request.GET:
            told = told.filter(link=_number(request.GET[messages_link.LINK]))
        return queryset.filter(Exists(told))


class DaysFilter(admin.SimpleListFilter):
    """There only when a link has asked for certain days, to say which, and to let go of them."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(self.parameter_name or "")
        return [(asked, wording.days(*_days(asked)[:2]))] if asked else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset


class SentOnFilter(DaysFilter):
    title = _("sent")
    parameter_name = messages_link.SENT_ON

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = self.value()
        if not chosen:
            return queryset
        first, end = _moments(chosen)
        return queryset.filter(state=Message.State.SENT, sent_at__gte=first, sent_at__lt=end)


class CameOnFilter(DaysFilter):
    """`CameBackFilter` asks for it together with what came."""

    title = _("when it came")
    parameter_name = messages_link.CAME_ON


class LinkFilter(admin.SimpleListFilter):
    """`CameBackFilter` asks for it together with the click."""

    title = _("link")
    parameter_name = messages_link.LINK

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        asked = request.GET.get(messages_link.LINK)
        if not asked:
            return []
        links = visible(TrackedLink.objects.filter(pk=_number(asked)), workspace_of(request))
        return [(asked, link.url) for link in links]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        return queryset


def _moments(text: str) -> tuple[datetime, datetime]:
    """From when until just before when."""
    first, last, zone = _days(text)
    period = Period(first, last)
    return begins(period, zone), ends(period, zone)


def _days(text: str) -> tuple[date, date, ZoneInfo]:
    try:
        return messages_link.days_from(text)
    except ValueError as error:
        raise IncorrectLookupParameters from error


def _number(text: str) -> int:
    # No key has more digits, and SQLite takes none that has.
    if not text.isdecimal() or len(text) > 18:
        raise IncorrectLookupParameters
    return int(text)
