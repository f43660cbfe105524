"""The list of messages by what came back of them."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from campaigns.models import Event, Message

PARAMETER = "came_back"


class CameBackFilter(admin.SimpleListFilter):
    title = _("what came back")
    parameter_name = PARAMETER

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind.value, capfirst(str(kind.label))) for kind in Event.Kind]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Message]) -> QuerySet[Message]:
        chosen = self.value()
        if chosen not in Event.Kind.values:
            return queryset
        told = Event.objects.filter(message=OuterRef("pk"), kind=chosen, by_machine=False)
        return queryset.filter(Exists(told))
