"""What a recipient wants to get: which lists, or nothing at all."""

import re

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from campaigns import list_choice, opting_out
from campaigns.models import Message
from campaigns.opting_out import How
from campaigns.public.leave import state_of
from campaigns.public.pages import message_of, named, page, recipient_page
from campaigns.tokens import Purpose

_KEY = re.compile(r"[0-9]{1,18}")


def _preferences(request: HttpRequest, token: str) -> HttpResponse:
    message = message_of(Purpose.LEAVE, token)
    done = _act(request, message) if request.method == "POST" else ""
    state = state_of(message)
    context = {
        **named(message),
        "state": state,
        "done": done,
        "may_take_back": state == "opted_out" and opting_out.has_opted_out_by(message),
        "contact_is_gone": message.contact is None,
        "memberships": list_choice.memberships_of(message),
        "preferences_path": reverse("public:preferences", args=[token]),
    }
    return page("public/preferences.html", context)


def _act(request: HttpRequest, message: Message) -> str:
    """By the button that was pressed; a POST that holds none of them changes nothing."""
    now = timezone.now()
    match request.POST.get("choice"):
        case "none":
            opting_out.opt_out(message, now, How.PREFERENCES)
            return "left"
        case "back":
            return "back" if opting_out.take_back(message, now) else ""
        case "lists":
            chosen = {int(pk) for pk in request.POST.getlist("list") if _KEY.fullmatch(pk)}
            list_choice.choose(message, chosen, now)
            return "saved"
        case _:
            return ""


preferences = recipient_page(_preferences, post=True)
