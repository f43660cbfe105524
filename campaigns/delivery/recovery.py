"""What a worker left behind when it died or slept too long."""

import logging
from datetime import datetime

from django.db import OperationalError, transaction

from accounts.leases import is_free
from campaigns import states
from campaigns.delivery import outcomes
from campaigns.delivery.claim import CLAIM, Claim, LeaseLost
from campaigns.delivery.handing_over import ANSWER
from campaigns.models import Message

M = Message.State

_log = logging.getLogger(__name__)


def recover(now: datetime) -> tuple[int, int]:
    """Take back every claim that has run out, and finish what was left at its end.

    Returns how many messages (wait again, are in doubt).

    Before the dot was allowed (claimed), certainly not accepted: it waits again. After it
    (handing over) nobody knows: in doubt, always. Each is settled by itself: at what nobody foresaw
    it stays as it is, with its error in the log at each look, and the others go on.
    """
    put_back = doubted = 0
    left_behind = is_free("claim_until", now, ANSWER + CLAIM)
    expired = Message.objects.filter(left_behind, state__in=(M.CLAIMED, M.HANDING_OVER)).order_by(
        "id"
    )
    for message in list(expired):
        try:
            claim = _claim_of(message)
            if message.state == M.CLAIMED:
                outcomes.put_back(claim, M.CLAIMED, "", now)
                put_back += 1
            else:
                _doubt(claim, message, now)
                doubted += 1
        except LeaseLost:
            # Its worker was only slow, and settled it between our two looks.
            continue
        except OperationalError:
            # The database is away, or somebody lies still on it: no other row would fare better.
            raise
        except Exception:  # noqa: BLE001 - one row that nobody foresaw must not hold up all others
            _log.exception("Message %s was left behind and cannot be settled.", message.pk)
    states.finish_done(now)
    return put_back, doubted


@transaction.atomic
def _doubt(claim: Claim, message: Message, now: datetime) -> None:
    if message.handed_over_at is None or message.claim_until is None:
        raise RuntimeError(f"Message {message.pk} is being handed over since no moment.")
    outcomes.in_doubt(claim, "", min(message.claim_until, now))


def _claim_of(message: Message) -> Claim:
    row, account, until = message.ledger_row_id, message.account_id, message.claim_until
    if row is None or account is None or until is None:
        raise RuntimeError(f"Message {message.pk} is claimed without a ledger row.")
    return Claim(message, row, account, message.claim_holder, until)
