"""Opting out: GET shows one button, POST acts, from that page or from a mail program (RFC 8058)."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from campaigns import opting_out
from campaigns.models import Message, Revision, Suppression
from campaigns.models.merge_fields import merge_values
from campaigns.opting_out import How
from campaigns.public.pages import message_of, named, page, recipient_page
from campaigns.rendering import merge
from campaigns.tokens import Purpose


def _leave(request: HttpRequest, token: str) -> HttpResponse:
    message = message_of(Purpose.LEAVE, token)
    if request.method == "POST":
        how = How.ONE_CLICK if b"One-Click" in request.body else How.PAGE
        opting_out.opt_out(message, timezone.now(), how)
        return _page(message, token, "left")
    return _page(message, token)


def _take_back(request: HttpRequest, token: str) -> HttpResponse:
    message = message_of(Purpose.LEAVE, token)
    if request.method == "POST" and opting_out.take_back(message, timezone.now()):
        return _page(message, token, "back")
    return _page(message, token)


def _page(message: Message, token: str, done: str = "") -> HttpResponse:
    state = state_of(message)
    context = {
        **named(message),
        "state": state,
        "done": done,
        "may_take_back": state == "opted_out" and opting_out.has_opted_out_by(message),
        "contact_is_gone": message.contact is None,
        "subject": _subject(message) if state == "written_to" and not done else "",
        "leave_path": reverse("public:leave", args=[token]),
        "back_path": reverse("public:take_back", args=[token]),
        "preferences_path": reverse("public:preferences", args=[token]),
    }
    return page("public/leave.html", context)


def state_of(message: Message) -> str:
    """Whether the recipient is written to: "written_to", "opted_out", or "not_written_to" for
    another reason, which is between the workspace and its mail."""
    reason = opting_out.why_not_written_to(message)
    if reason is None:
        return "written_to" if message.to_email else "not_written_to"
    return "opted_out" if reason == Suppression.Reason.OPTED_OUT else "not_written_to"


def _subject(message: Message) -> str:
    """As the recipient knows it: which mail this is about."""
    revisions = Revision.objects.filter(campaign=message.campaign_id, number=message.revision)
    (source,) = revisions.values_list("subject", flat=True)
    contact = message.contact
    try:
        return merge.render_subject(
            source, merge_values(contact, message.workspace) if contact else {}
        )
    except merge.MergeError:
        return ""


leave = recipient_page(_leave, post=True)
take_back = recipient_page(_take_back, post=True)
