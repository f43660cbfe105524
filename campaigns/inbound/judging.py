"""Pauses a campaign of which too much comes back, and says so."""

from collections.abc import Callable, Sequence

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns import states
from campaigns.models import Campaign, Event, Message

Kind = Event.Kind

# Of so many messages in the order in which they left, more than so many of a hundred.
IN_A_ROW = 50
MOST_PERCENT = 5

BOUNCES = (Kind.BOUNCED, Kind.SOFT_BOUNCED)


def judge(message: Message, kind: Kind) -> bool:
    """Pause the campaign of `message`, of which `kind` has just been noted, if that was one too
    many; True when it did.

    Whatever left before its person last resumed it is not held against it again.
    """
    kinds, words = _judged(kind)
    if message.campaign_id is None or message.handed_over_at is None or not kinds:
        return False
    campaign = Campaign.objects.get(pk=message.campaign_id)
    if campaign.judged_from is not None and message.handed_over_at < campaign.judged_from:
        return False
    count = _most_in_a_row(_around(message, campaign), kinds)
    if count * 100 <= MOST_PERCENT * IN_A_ROW:
        return False
    reason = words() % {"count": count, "in_a_row": IN_A_ROW, "most": MOST_PERCENT}
    return states.move_campaign(
        campaign.pk, Campaign.State.SENDING, Campaign.State.PAUSED, state_reason=reason
    )


def _judged(kind: Kind) -> tuple[Sequence[Kind], Callable[[], str]]:
    """What counts together with `kind`, and what is said when it is too much."""
    if kind in BOUNCES:
        return BOUNCES, lambda: _(
            "%(count)s of %(in_a_row)s messages bounced, more than %(most)s %%: if that goes on, "
            "Gmail may limit the account. Look at what bounced and where the addresses come from, "
            "take out what is old, then resume."
        )
    if kind == Kind.BLOCKED:
        return (kind,), lambda: _(
            "%(count)s of %(in_a_row)s messages were refused by the recipients' side, more than "
            "%(most)s %%. Read what was said: most often it is the content, a link in it, or mail "
            "that was not asked for. Then resume, or cancel and change the template."
        )
    if kind == Kind.GMAIL_BLOCKED:
        return (kind,), lambda: _(
            "Gmail itself refused %(count)s of %(in_a_row)s messages after it had taken them, more "
            "than %(most)s %%: it holds the content to be unwanted or dangerous. Cancel this "
            "campaign, change the template, above all its links, and launch it anew."
        )
    return (), str


def _around(message: Message, campaign: Campaign) -> list[int]:
    """The messages that left just before and just after, in that order."""
    left = Message.objects.filter(campaign=campaign, handed_over_at__isnull=False)
    if campaign.judged_from is not None:
        left = left.filter(handed_over_at__gte=campaign.judged_from)
    before = left.filter(handed_over_at__lte=message.handed_over_at)
    after = left.filter(handed_over_at__gt=message.handed_over_at)
    return [
        *reversed(_keys(before.order_by("-handed_over_at", "-pk"))),
        *_keys(after.order_by("handed_over_at", "pk")),
    ]


def _keys(messages: QuerySet[Message]) -> list[int]:
    return list(messages.values_list("pk", flat=True)[:IN_A_ROW])


def _most_in_a_row(keys: list[int], kinds: Sequence[Kind]) -> int:
    came_back = set(
        Message.objects.filter(pk__in=keys, events__kind__in=kinds).values_list("pk", flat=True)
    )
    marks = [key in came_back for key in keys]
    windows = range(max(len(marks) - IN_A_ROW, 0) + 1)
    return max(sum(marks[start : start + IN_A_ROW]) for start in windows)
