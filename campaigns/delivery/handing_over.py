"""The handing over of a message, committed before its end is given to Gmail.

From then on it may have been accepted, whatever happens: nobody sends it a second time unasked.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction

from accounts import generation
from accounts.models import GmailAccount, LedgerRow
from campaigns import states
from campaigns.delivery.claim import CLAIM, Claim, still_ours
from campaigns.models import Campaign, Message
from campaigns.models.address_hash import address_hash

# From the dot to Gmail's answer: RFC 5321 4.5.3.2.6 asks a client to wait ten minutes.
ANSWER = timedelta(minutes=10)

# Written down as text: every message passes here, and Django would take longer to write this anew
# than everything else that happens to it takes.
_HAND_OVER = """
UPDATE campaigns_message
SET state = %(handing_over)s, raw = %(raw)s, handed_over_at = %(now)s, claim_until = %(until)s
WHERE id = %(message)s AND claim_holder = %(holder)s
    AND state = %(claimed)s AND claim_until > %(now)s
    AND (campaign_id IS NULL OR contact_id IS NOT NULL)
    AND NOT EXISTS (
        SELECT 1 FROM accounts_gmailaccount AS account
        WHERE account.id = campaigns_message.account_id AND account.state <> %(ready)s
    )
    AND NOT EXISTS (
        SELECT 1 FROM accounts_halt AS halt
        WHERE halt.account_id = campaigns_message.account_id AND halt.ended_at IS NULL
    )
    AND NOT EXISTS (
        SELECT 1 FROM campaigns_campaign AS campaign
        WHERE campaign.id = campaigns_message.campaign_id AND campaign.state <> %(sending)s
    )
    AND NOT (
        EXISTS (
            SELECT 1 FROM campaigns_listmembership AS membership
            JOIN campaigns_campaign_lists AS aimed_at
                ON aimed_at.contactlist_id = membership.contact_list_id
            WHERE membership.contact_id = campaigns_message.contact_id
                AND aimed_at.campaign_id = campaigns_message.campaign_id
                AND membership.left_at IS NOT NULL
        )
        AND NOT EXISTS (
            SELECT 1 FROM campaigns_listmembership AS membership
            JOIN campaigns_campaign_lists AS aimed_at
                ON aimed_at.contactlist_id = membership.contact_list_id
            WHERE membership.contact_id = campaigns_message.contact_id
                AND aimed_at.campaign_id = campaigns_message.campaign_id
                AND membership.left_at IS NULL
        )
    )
    AND (
        source = %(system)s
        OR NOT EXISTS (
            SELECT 1 FROM campaigns_suppression AS suppression
            WHERE suppression.workspace_id = campaigns_message.workspace_id
                AND suppression.email_hash = %(to_hash)s
        )
    )
"""


@transaction.atomic
def commit_handing_over(claim: Claim, raw: bytes, now: datetime) -> int | None:
    """The last look before the dot: still ours and safe, still wanted by sender and recipient.

    A pause, an opt-out, a contact deleted, an account disconnected: what is committed before it is
    always seen. So the row is locked first:
    PostgreSQL would let an UPDATE that had to wait for it judge the other tables as they stood
    before it waited. Returns the number to be written beside the database before the dot is given
    (`accounts.generation`). None: nothing was changed, and the dot must not be given.
    """
    if still_ours(claim).select_for_update().values_list("pk").first() is None:
        return None
    if not _hand_over(claim, raw, now):
        return None
    return generation.next_number()


def _hand_over(claim: Claim, raw: bytes, now: datetime) -> bool:
    """By the rules of `claim.suppressed` and `halts.lasting`, and as a move of `states`."""
    moment = connection.ops.adapt_datetimefield_value
    claimed, handing_over = Message.State.CLAIMED, Message.State.HANDING_OVER
    states.check_message_move(claimed, handing_over)
    values: dict[str, int | str | bytes | None] = {
        "message": claim.message_id,
        "holder": claim.holder,
        "claimed": claimed.value,
        "handing_over": handing_over.value,
        "raw": raw,
        "now": moment(now),
        "until": moment(now + ANSWER + CLAIM),
        "ready": GmailAccount.State.READY.value,
        "sending": Campaign.State.SENDING.value,
        "system": LedgerRow.Source.SYSTEM.value,
        "to_hash": address_hash(claim.to_key),
    }
    with connection.cursor() as cursor:
        cursor.execute(_HAND_OVER, values)
        return bool(cursor.rowcount == 1)
