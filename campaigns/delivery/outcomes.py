"""What follows from an answer: for the message, the ledger, the account and the campaign.

Each function is one transaction that settles the message and its ledger row together.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import explain, ledger, standing
from accounts.models import GmailAccount
from campaigns import states
from campaigns.delivery import doubt, history, pause_words
from campaigns.delivery.claim import Claim, LeaseLost, still_ours, uncount_for_pacing
from campaigns.delivery.history import Kind
from campaigns.delivery.read_sent import read_sent
from campaigns.models import Campaign, Message
from gmail.replies import Meaning, Phase, Reply, login_refusal, meaning

M = Message.State

# How long after the last sign of life a session with Gmail may still deliver what it was given:
# the kernel repeats unacknowledged data for about 15 minutes, a server waits at least 5
# (RFC 5321 4.5.3.2.7) and at most 10 for its own filing.
SESSION_LIFE = timedelta(minutes=30)

# A message that Gmail puts off waits by itself, each time twice as long, so that the others go
# first. At last it is said plainly instead of tried for ever: after two days at the soonest, so
# that no outage comes to that (RFC 5321 4.5.4.1 asks for days). `NOT_NOW` comes on top of the
# account's own rest, which any other message may try to end before.
RECIPIENT_AWAY = timedelta(minutes=15)
NOT_NOW = timedelta(minutes=2)
LONGEST_WAIT = timedelta(days=1)
MOST_ATTEMPTS = 12

# From here on Gmail knows of the message, so that a line that breaks may be due to it.
KNOWS_OF_MESSAGE = (Phase.RCPT, Phase.DATA, Phase.BODY, Phase.DOT)


@transaction.atomic
def sent(claim: Claim, reply: str, now: datetime) -> None:
    """Gmail accepted the message, at the latest now."""
    _settle(claim, M.HANDING_OVER, M.SENT, reply=reply, sent_at=now, raw=None)
    ledger.accept(claim.ledger_row_id, now)


@transaction.atomic
def in_doubt(claim: Claim, why: str, now: datetime) -> None:
    """The dot may have arrived and the answer was lost. Never sent again by itself."""
    begins = doubt.beginning(claim.message_id, claim.account_id, now)
    _settle(claim, M.HANDING_OVER, M.IN_DOUBT, reply=why, **begins)
    ledger.unknown(claim.ledger_row_id, now + SESSION_LIFE)
    history.note(claim.message_id, Kind.IN_DOUBT, now, why)
    if begins["held_why"]:
        history.note(claim.message_id, Kind.HELD, now, capfirst(str(begins["held_why"].label)))


@transaction.atomic
def put_back(claim: Claim, source: M, why: str, not_before: datetime, **changes: Any) -> None:
    """Certainly not accepted: it waits again from `not_before` on, behind what waits longer.

    Unless its campaign was cancelled meanwhile: then it is cancelled too.
    """
    # Locked before it is asked, so that a cancel either is seen here or finds the message waiting.
    locked = Campaign.objects.select_for_update()
    campaign = locked.filter(pk=claim.message.campaign_id or 0).first()
    if campaign is not None:
        changes |= _forgotten(claim)  # rendered again; what a program wrote could not be
    _settle(claim, source, M.WAITING, reply=why, not_before=not_before, **changes)
    if campaign is not None and campaign.state == Campaign.State.CANCELLED:
        states.move_messages(
            Message.objects.filter(pk=claim.message_id), M.WAITING, M.CANCELLED, raw=None
        )
    ledger.void(claim.ledger_row_id)


@transaction.atomic
def refused(claim: Claim, source: M, reply: str) -> None:
    """Refused for good, for this recipient only."""
    _settle(claim, source, M.REFUSED, reply=reply, **_forgotten(claim))
    ledger.void(claim.ledger_row_id)


@transaction.atomic
def skipped(claim: Claim, why: str) -> None:
    """Not to be written to: never handed over."""
    _settle(claim, M.CLAIMED, M.SKIPPED, reply=why, raw=None)
    ledger.void(claim.ledger_row_id)


def not_accepted(claim: Claim, source: M, reply: Reply, phase: Phase, now: datetime) -> Meaning:
    """Gmail said no, in `phase`: act on what that means, and return whom it came down on.

    A single mail is refused where a campaign would pause: nobody could resume it, and it would
    keep what comes after it from leaving.

    `source` is the state the message is in: claimed before the dot, handing over after it. Not to
    be called inside a transaction: at the limit it reads Sent.
    """
    said = str(reply)
    what = meaning(reply, phase)
    if what is Meaning.RECIPIENT or (_is_single(claim) and _is_about_message(what, phase)):
        refused(claim, source, said)
        return Meaning.RECIPIENT
    if what is Meaning.RECIPIENT_LATER:
        return _put_off(claim, source, said, now, RECIPIENT_AWAY)
    if what is Meaning.TEMPORARY:
        return tried_in_vain(claim, source, said, said, now)
    put_back(claim, source, said, now)
    if what is Meaning.LIMIT:
        _rest_for_limit(claim.account_id, said, now)
    elif what is Meaning.AUTH:
        _needs_reconnecting(claim, reply, now)
    elif what is Meaning.MESSAGE:
        pause_campaign(claim, pause_words.content_refused(reply, claim.to_key))
    elif what is Meaning.UNKNOWN:
        pause_campaign(claim, pause_words.not_understood(reply, claim.to_key))
        standing.back_off(claim.account_id, said, now)
    else:
        standing.back_off(claim.account_id, said, now)
    return what


def _rest_for_limit(account_id: int, said: str, now: datetime) -> None:
    """What the refusal teaches is how much was used: with the mail that is written by hand."""
    try:
        read_sent(account_id, now)
    finally:
        standing.rest_for_limit(account_id, said, now)


def tried_in_vain(claim: Claim, source: M, said: str, reason: str, now: datetime) -> Meaning:
    """Gmail said "later" to it, or the line broke over it, and nobody knows why.

    So the account rests, for `reason`, and the message rests longer: were it tried first again,
    one message that Gmail can never take would keep all others from leaving. Returns whom it came
    down on.
    """
    rests_until = standing.back_off(claim.account_id, reason, now)
    return _put_off(claim, source, said, rests_until, NOT_NOW)


def _is_about_message(what: Meaning, phase: Phase) -> bool:
    """Whether a refusal may be due to what was sent and to whom, and not only to who sends."""
    return what is Meaning.MESSAGE or (what is Meaning.UNKNOWN and phase in KNOWS_OF_MESSAGE)


def _needs_reconnecting(claim: Claim, reply: Reply, now: datetime) -> None:
    auth = GmailAccount.objects.values_list("auth", flat=True).get(pk=claim.account_id)
    reason = explain.login_refused(login_refusal(reply), auth)
    standing.needs_reconnecting(claim.account_id, reason, now)


def _put_off(claim: Claim, source: M, said: str, since: datetime, first: timedelta) -> Meaning:
    """One more try that came to nothing: the others go on, this one is tried again later.

    The first time after `first`, counted from `since`.
    """
    attempts = 1 + (still_ours(claim).values_list("attempts", flat=True).first() or 0)
    if attempts >= MOST_ATTEMPTS:
        refused(claim, source, _("Tried %(n)d times. %(said)s") % {"n": attempts, "said": said})
        return Meaning.RECIPIENT
    later = since + min(first * 2 ** (attempts - 1), LONGEST_WAIT)
    put_back(claim, source, said, later, attempts=attempts)
    return Meaning.RECIPIENT_LATER


def pause_campaign(claim: Claim, reason: str) -> None:
    """The content itself is at fault: every further message would fare the same."""
    campaign_id = claim.message.campaign_id
    if campaign_id is None:
        return
    states.move_campaign(
        campaign_id,
        Campaign.State.SENDING,
        Campaign.State.PAUSED,
        state_reason=reason,
    )


def _is_single(claim: Claim) -> bool:
    """Mail written by a program keeps its bytes: nothing could render them again."""
    return claim.message.campaign_id is None


def _forgotten(claim: Claim) -> dict[str, Any]:
    """The bytes go, unless they are a second try's: of the first nobody knows what became."""
    once = still_ours(claim).filter(times_sent_again=0).exists()
    return {"raw": None} if once else {}


@transaction.atomic
def give_back(claims: list[Claim]) -> None:
    """Claimed and never begun: as if it had not been, unless the campaign was cancelled meanwhile.

    What `recovery` has taken back already stays as it is.
    """
    if not claims:
        return
    # Locked before it is asked, as in `put_back`.
    locked = Campaign.objects.select_for_update()
    campaign = locked.filter(pk=claims[0].message.campaign_id or 0).first()
    cancelled = campaign is not None and campaign.state == Campaign.State.CANCELLED
    ours = [claim for claim in claims if still_ours(claim).select_for_update().exists()]
    for claim in ours:
        bound_to = claim.message.account_id
        target = M.CANCELLED if cancelled else M.WAITING
        _settle(claim, M.CLAIMED, target, account_id=bound_to, ledger_row=None)
    ledger.forget([claim.ledger_row_id for claim in ours])
    if campaign is not None:
        uncount_for_pacing(campaign.pk, claims[0].account_id, len(ours))


def _settle(claim: Claim, source: M, target: M, **changes: object) -> None:
    moved = states.move_messages(
        still_ours(claim), source, target, claim_holder="", claim_until=None, **changes
    )
    if moved != 1:
        # Taken back by `recovery`, which has settled the ledger too: nothing of ours is left.
        raise LeaseLost
