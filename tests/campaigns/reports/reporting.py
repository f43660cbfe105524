"""A campaign of ten to which everything happened, to some more than once."""

from datetime import UTC, datetime, timedelta

from accounts.models import Workspace
from campaigns.models import Campaign, Event, Message, TrackedLink
from tests.campaigns.making import make_account, make_campaign

M, K = Message.State, Event.Kind

# A Monday; the account's day begins at 05:00 UTC.
LAUNCHED = datetime(2026, 3, 2, 15, tzinfo=UTC)
ZONE = "America/New_York"
# Late in the evening of the second day there, when it is the third in UTC.
LATE = datetime(2026, 3, 4, 2, tzinfo=UTC)

# What happened to which message, by its place; several of a kind on one of them.
HAPPENED = [
    (1, K.BOUNCED),
    (1, K.SOFT_BOUNCED),
    (1, K.SOFT_BOUNCED),
    (2, K.SOFT_BOUNCED),
    (3, K.BLOCKED),
    (4, K.GMAIL_BLOCKED),
    (4, K.DELAYED),
    (5, K.REPLIED),
    (5, K.REPLIED),
    (6, K.REPLIED),
    (6, K.OPTED_OUT),
    (6, K.OPTED_IN),
    (6, K.OPTED_OUT),
    (7, K.AUTO_REPLIED),
    (5, K.OPENED),
    (5, K.OPENED),
    (6, K.OPENED),
    (5, K.CLICKED),
]
# What a campaign of these comes to.
COUNTS = {
    "recipients": 10,
    "sent": 8,
    # All that were sent but 1 to 4: 1 failed in two ways, and counts once.
    "delivered": 4,
    K.BOUNCED: 1,
    K.SOFT_BOUNCED: 2,
    K.BLOCKED: 1,
    K.GMAIL_BLOCKED: 1,
    K.REPLIED: 2,
    K.AUTO_REPLIED: 1,
    K.OPTED_OUT: 1,
    K.OPENED: 2,
    K.CLICKED: 1,
}


def make_reported(workspace: Workspace, **fields: object) -> Campaign:
    """Messages 0 to 7 were sent, a day apart in halves; 8 waits, and 9 was skipped."""
    account = make_account(workspace, time_zone=ZONE)
    given = {"launched_at": LAUNCHED, "track_opens": True, "track_clicks": True}
    campaign = make_campaign(workspace, [account], 10, **given | fields)
    keys = list(campaign.messages.order_by("id").values_list("pk", flat=True))
    rows = Message.objects
    rows.filter(pk__in=keys[:4]).update(state=M.SENT, account=account, sent_at=LAUNCHED)
    rows.filter(pk__in=keys[4:8]).update(state=M.SENT, account=account, sent_at=LATE)
    rows.filter(pk=keys[9]).update(state=M.SKIPPED)
    link = TrackedLink.objects.create(
        revision=campaign.revisions.get(), number=1, url="https://shop.example/sale"
    )
    for number, (place, kind) in enumerate(HAPPENED):
        Event.objects.create(
            message_id=keys[place],
            kind=kind,
            at=LATE + timedelta(hours=12 * number),
            link=link if kind == K.CLICKED else None,
        )
    for kind in (K.OPENED, K.CLICKED):
        # A scanner, on a message that nobody opened.
        Event.objects.create(message_id=keys[7], kind=kind, at=LATE, by_machine=True, link=link)
    return campaign
