"""What is in doubt, in words: looked for until when, or held for a person and why."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.delivery.doubt import PATIENCE
from campaigns.models import Message
from campaigns.reports import wording

# For each of a grouping of messages in doubt: what `Doubts` is made of.
FIGURES = {
    "count": Count("id"),
    "held": Count("held_at"),
    "newest": Max("doubt_since", filter=Q(held_at=None)),
}


@dataclass(frozen=True)
class Doubts:
    """How many are in doubt, how many of them are held, and when the newest of the others began."""

    count: int
    held: int
    newest: datetime | None

    @property
    def looked_for(self) -> int:
        return self.count - self.held


def doubts_of(messages: QuerySet[Message]) -> Doubts:
    figures = messages.filter(state=Message.State.IN_DOUBT).aggregate(**FIGURES)
    return Doubts(**figures)


def sentence(doubts: Doubts, now: datetime, zone: ZoneInfo) -> str:
    """What becomes of them: first what needs a person."""
    parts = []
    if doubts.held:
        parts.append(
            ngettext(
                "%(count)s needs you: say that it arrived, or send it again.",
                "%(count)s need you: say that they arrived, or send them again.",
                doubts.held,
            )
            % {"count": wording.number(doubts.held)}
        )
    if doubts.looked_for:
        parts.append(_looked_for(doubts, now, zone))
    return " ".join(parts)


def _looked_for(doubts: Doubts, now: datetime, zone: ZoneInfo) -> str:
    named = {"count": wording.number(doubts.looked_for)}
    until = until_of(doubts.newest)
    if until is None or until <= now:
        return (
            ngettext(
                "%(count)s is looked for in Sent as soon as the mailbox can be read.",
                "%(count)s are looked for in Sent as soon as the mailbox can be read.",
                doubts.looked_for,
            )
            % named
        )
    named["at"] = wording.clock(until, now, zone)
    return (
        ngettext(
            "%(count)s is being looked for in Sent until %(at)s; nothing to do for you yet.",
            "%(count)s are being looked for in Sent until %(at)s; nothing to do for you yet.",
            doubts.looked_for,
        )
        % named
    )


def until_of(since: datetime | None) -> datetime | None:
    """When a look that finds nothing ends the looking."""
    return since + PATIENCE if since is not None else None


def in_short(message: Message, now: datetime, zone: ZoneInfo) -> str:
    """For a line of a list."""
    if message.held_at is not None:
        return _("Needs you: %(why)s") % {"why": message.get_held_why_display()}
    until = until_of(message.doubt_since)
    if until is None or until <= now:
        return _("Looked for as soon as the mailbox can be read")
    return _("Looked for in Sent until %(at)s") % {"at": wording.clock(until, now, zone)}


def why_held(message: Message) -> str:
    """Why only a person can end this doubt, and what would help."""
    match message.held_why:
        case Message.Held.NOT_FOUND:
            return _(
                "It was looked for in Sent, All Mail and Trash, and is in none of them. So it "
                "probably never left; but a copy can be late, and can be deleted."
            )
        case Message.Held.NOT_READ:
            return _(
                "Daypost cannot look into Sent, since this mailbox is not read by IMAP. Switch "
                "its reading to IMAP, and the message is looked for at once."
            )
        case Message.Held.UNREADABLE:
            return _(
                "Its mailbox could not be read for an hour. Run the doctor on this account; it is "
                "looked for again every hour, and once more as soon as it can be read."
            )
        case Message.Held.LIMIT_NOTICE:
            return _(
                "Gmail took it, and wrote later that its limit was reached and a message was not "
                "sent: this one, or perhaps this one. That a copy lies in Sent proves nothing. Ask "
                "the recipient, or look whether they answered."
            )
        case _:
            return ""
