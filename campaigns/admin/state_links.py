"""Filters of a list as plain links: one for each state, and one for all."""

from dataclasses import dataclass
from typing import Any

from django.db.models import TextChoices
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from unfold.views import ChangeList

PARAMETER = "state__exact"


class StateList(ChangeList):
    """A list whose filters are links: it knows that it is filtered when nothing matches."""

    def get_filters(self, request: HttpRequest) -> Any:
        specs, has_filters, lookups, may_repeat, active = super().get_filters(request)
        return specs, has_filters, lookups, may_repeat, active or bool(lookups)


@dataclass(frozen=True)
class StateLink:
    text: str
    query: str
    current: bool


def state_links(request: HttpRequest, states: type[TextChoices]) -> list[StateLink]:
    """Links that change the state and keep everything else that was asked for, but the page."""
    asked = request.GET.get(PARAMETER)
    links = [StateLink(_("All"), _query(request, None), asked is None)]
    for state in states:
        link = StateLink(capfirst(state.label), _query(request, state.value), asked == state.value)
        links.append(link)
    return links


def _query(request: HttpRequest, state: str | None) -> str:
    query = request.GET.copy()
    query.pop("p", None)
    query.pop(PARAMETER, None)
    if state is not None:
        query[PARAMETER] = state
    return "?" + query.urlencode()
