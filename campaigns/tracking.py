"""Opens and clicks: which links of a campaign are counted, and each look that is taken.

Off unless the campaign asks for it. What is written down is that a message was opened or which of
its links was clicked, and when: no address, no place, no browser.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import transaction

from campaigns.machines import MOST, Look, at_once_with, is_machine, is_on_arrival, is_same
from campaigns.models import Event, Message, Revision, TrackedLink
from campaigns.rendering.tracked import countable_links

Kind = Event.Kind


def freeze_links(revision: Revision) -> None:
    """Number the links of a revision that is about to be sent, where its campaign counts clicks."""
    if revision.campaign.track_clicks:
        TrackedLink.objects.bulk_create(
            TrackedLink(revision=revision, number=number, url=url)
            for number, url in enumerate(countable_links(revision.html), start=1)
        )


def link_of(message: Message, number: int) -> TrackedLink | None:
    """The link of this number in the revision that the message was written from."""
    found = TrackedLink.objects.filter(
        revision__campaign=message.campaign_id, revision__number=message.revision, number=number
    )
    return found.first()


def note(
    message: Message, link: TrackedLink | None, headers: Mapping[str, str], at: datetime
) -> None:
    """Somebody or something fetched a link of the message, or without `link` its picture."""
    by_machine = is_machine(headers.get("User-Agent", ""), headers)
    with transaction.atomic():
        # Two that are fetched at the same moment see each other.
        locked = Message.objects.select_for_update().filter(pk=message.pk)
        handed_over_at = locked.values_list("handed_over_at", flat=True).first()
        before = _looks(message)
        if len(before) >= MOST:
            return
        by_machine = by_machine or is_on_arrival(at, handed_over_at)
        look = Look(link.pk if link else None, at, by_machine)
        together = at_once_with(look, list(before.values()))
        if together:
            look = Look(look.link, at, by_machine=True)
            _mark([pk for pk, one in before.items() if one in together])
        if not is_same(look, list(before.values())):
            Event.objects.create(
                message=message,
                kind=Kind.CLICKED if link else Kind.OPENED,
                link=link,
                at=at,
                by_machine=look.by_machine,
            )


def _looks(message: Message) -> dict[int, Look]:
    """Those before, by their event, the newest first."""
    seen = Event.objects.filter(message=message, kind__in=[Kind.OPENED, Kind.CLICKED])
    rows = seen.order_by("-id").values_list("pk", "link", "at", "by_machine")[:MOST]
    return {pk: Look(link, at, by_machine) for pk, link, at, by_machine in rows}


def _mark(events: list[int]) -> None:
    """The one correction of what is only ever added to: who it was is known only now."""
    Event.objects.filter(pk__in=events).update(by_machine=True)
