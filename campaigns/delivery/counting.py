"""What a message is written with so that opens and clicks can be counted: mostly nothing."""

from dataclasses import dataclass, field
from datetime import datetime

from campaigns import reachable
from campaigns.delivery import public_pages
from campaigns.models import Revision
from campaigns.rendering import tracked


@dataclass(frozen=True)
class Counting:
    """What is counted of the messages of one revision: links, by their address, and opens."""

    numbers: dict[str, int] = field(default_factory=dict)
    opens: bool = False

    def put_into(self, html: str, message_id: int) -> str:
        counted = tracked.with_counted_links(
            html, self.numbers, lambda number: public_pages.click(message_id, number)
        )
        if self.opens:
            counted = tracked.with_picture(counted, public_pages.picture(message_id))
        return counted


def counting_of(revision: Revision, now: datetime) -> Counting:
    """What its campaign asks for; nothing while nobody reaches us, for then no link would lead
    anywhere."""
    campaign = revision.campaign
    if not (campaign.track_opens or campaign.track_clicks) or not reachable.is_reachable(now):
        return Counting()
    return Counting(dict(revision.links.values_list("url", "number")), campaign.track_opens)
