"""What a person decides about several messages of a list at once: asked first, then done."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, ngettext_lazy
from unfold.admin import ModelAdmin

from accounts.pages_context import page_context
from campaigns import decisions
from campaigns.admin.message_page import Decide, person_of
from campaigns.models import Message
from campaigns.reports import wording

# A page of the list has fifty.
MOST = 200

Action = Callable[[ModelAdmin, HttpRequest, QuerySet[Message]], HttpResponse | None]


@dataclass(frozen=True)
class Decision:
    """`state` is the one that the list must show alone; the texts are translated when shown."""

    name: str
    state: Message.State
    decide: Decide
    label: Any
    question: Any
    done: Any


_WAITS = ngettext_lazy(
    "%(count)s message waits for its turn.", "%(count)s messages wait for their turn.", "number"
)

DECISIONS = (
    Decision(
        "it_arrived",
        Message.State.IN_DOUBT,
        decisions.it_arrived,
        _("They arrived…"),
        _("Say that they arrived?"),
        ngettext_lazy(
            "%(count)s message counts as sent.", "%(count)s messages count as sent.", "number"
        ),
    ),
    Decision(
        "send_again",
        Message.State.IN_DOUBT,
        decisions.send_again,
        _("Send again…"),
        _("Send them again?"),
        _WAITS,
    ),
    Decision(
        "try_again",
        Message.State.REFUSED,
        decisions.try_again,
        _("Try again…"),
        _("Try them again?"),
        _WAITS,
    ),
)


def offered_in(state: str | None) -> set[str]:
    """The names of the actions that a list of this one state offers."""
    return {decision.name for decision in DECISIONS if decision.state == state}


def _action_of(decision: Decision) -> Action:
    @admin.action(description=decision.label)
    def ask_or_do(
        model_admin: ModelAdmin, request: HttpRequest, rows: QuerySet[Message]
    ) -> HttpResponse | None:
        if request.POST.get("post") == "yes":
            _do(decision, request, rows)
            return None
        return _ask(decision, model_admin, request, rows)

    ask_or_do.__name__ = decision.name
    return ask_or_do


def _ask(
    decision: Decision, model_admin: ModelAdmin, request: HttpRequest, rows: QuerySet[Message]
) -> HttpResponse:
    chosen = list(rows.order_by("pk").defer("raw")[:MOST])
    context = page_context(
        model_admin.admin_site,
        request,
        str(decision.question),
        action=decision.name,
        count=len(chosen),
        chosen=[message.pk for message in chosen],
        addresses=[message.recipient for message in chosen],
        written_anew=rows.filter(pk__in=[message.pk for message in chosen], raw=None).count(),
    )
    return TemplateResponse(request, "campaigns/decide_several.html", context)


def _do(decision: Decision, request: HttpRequest, rows: QuerySet[Message]) -> None:
    """Each by itself: what is not possible for one does not keep it from the others."""
    done, refused = 0, Counter[str]()
    related = rows.select_related("campaign", "account", "ledger_row").order_by("pk")
    for message in related[:MOST]:
        try:
            decision.decide(message, person_of(request), timezone.now())
            done += 1
        except decisions.NotPossible as error:
            refused[str(error)] += 1
    if done:
        said = decision.done % {"number": done, "count": wording.number(done)}
        messages.success(request, said)
    for why, count in refused.items():
        left = ngettext("%(count)s was left as it is.", "%(count)s were left as they are.", count)
        messages.warning(request, f"{left % {'count': wording.number(count)}} {why}")


ACTIONS = tuple(_action_of(decision) for decision in DECISIONS)
