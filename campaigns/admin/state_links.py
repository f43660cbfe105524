"""Filters of a list as plain links: one for each state, and one for all."""

from dataclasses import dataclass

from django.db.models import TextChoices
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext as _

PARAMETER = "state__exact"


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
