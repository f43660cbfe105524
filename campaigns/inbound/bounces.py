"""What a delivery report says of the address that was written to."""

from django.utils.translation import gettext as _

from campaigns.inbound.judging import judge
from campaigns.models import Event, InboundMail, Message, Suppression
from campaigns.models.address_hash import address_hash
from gmail.failures import Verdict
from gmail.reports import Report

Kind = Event.Kind

_KINDS = {
    Verdict.HARD: Kind.BOUNCED,
    Verdict.SOFT: Kind.SOFT_BOUNCED,
    Verdict.BLOCKED: Kind.BLOCKED,
    Verdict.DELAY: Kind.DELAYED,
}


def note_bounce(message: Message, report: Report, mail: InboundMail) -> int:
    """Note what became of `message`, and what follows; returns 1 for a bounce, else 0.

    To be called in the transaction that also remembers the mail.
    """
    kind = Kind.GMAIL_BLOCKED if report.by_gmail else _KINDS[report.verdict]
    if kind == Kind.BOUNCED and not _is_about(message, report):
        # They had it passed on, and that address is gone: theirs may be fine.
        kind = Kind.SOFT_BOUNCED
    Event.objects.create(message=message, kind=kind, at=mail.at, mail=mail, detail=report.said)
    if kind == Kind.BOUNCED:
        _suppress(message, report.said)
    elif kind == Kind.SOFT_BOUNCED and _has_failed_too_often(message):
        words = _("could not be delivered %(times)s times in a row. The last reason: %(said)s")
        named = {"times": message.workspace.soft_bounces, "said": report.said}
        _suppress(message, words % named)
    judge(message, kind)
    return int(kind in (Kind.BOUNCED, Kind.SOFT_BOUNCED))


def _is_about(message: Message, report: Report) -> bool:
    return report.recipient is None or report.recipient.lower() == message.to_email.lower()


def _has_failed_too_often(message: Message) -> bool:
    """Whether this and the messages of the campaigns before it failed to reach the same address."""
    times = message.workspace.soft_bounces
    if not times or message.campaign_id is None or message.handed_over_at is None:
        return False
    earlier = Message.objects.filter(
        workspace=message.workspace_id,
        to_email__iexact=message.to_email,
        campaign__isnull=False,
        handed_over_at__lte=message.handed_over_at,
    )
    newest = earlier.order_by("-handed_over_at").values_list("pk", "campaign")
    last_of: dict[int, int] = {}
    for key, campaign in newest[: 10 * times]:
        last_of.setdefault(campaign, key)
    last = list(last_of.values())[:times]
    failed = Event.objects.filter(message__in=last, kind=Kind.SOFT_BOUNCED)
    return len(last) == times == failed.values("message").distinct().count()


def _suppress(message: Message, why: str) -> None:
    """Unless it is already, for whatever reason."""
    key = message.to_email.lower()
    suppression = Suppression(
        workspace_id=message.workspace_id,
        email_key=key,
        email_hash=address_hash(key),
        reason=Suppression.Reason.BOUNCED,
        note=why,
    )
    Suppression.objects.bulk_create([suppression], ignore_conflicts=True)
