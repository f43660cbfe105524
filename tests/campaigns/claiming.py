"""One claim, as most tests want it."""

from datetime import datetime

from campaigns.delivery import claim
from campaigns.delivery.claim import Claim
from campaigns.planning.sharing import Turn


def claim_next(account_id: int, holder: str, now: datetime) -> Claim | Turn:
    """What leaves next, alone, or when and why not."""
    found = claim.claim_next(account_id, holder, now, most=1)
    return found if isinstance(found, Turn) else found[0]
