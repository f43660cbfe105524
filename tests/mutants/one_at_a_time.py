"""One at a time: claims, leases, moves, turns, and what becomes of a message by itself."""

from tests.mutants.mutation import POSTGRES, SQLITE, Edit, one, several

CLAIM = "campaigns/delivery/claim.py"
OUTCOMES = "campaigns/delivery/outcomes.py"
RECOVERY = "campaigns/delivery/recovery.py"
SCHEDULE = "campaigns/delivery/schedule.py"
SENDER = "campaigns/delivery/sender.py"
STATES = "campaigns/states.py"

MUTATIONS = [
    one(
        "the account's row is not locked for a claim",
        POSTGRES,
        "test_claim.py::test_it_claims_everybody_once_and_never_over_the_limit_from_many_threads",
        CLAIM,
        "GmailAccount.objects.select_for_update()\n        .annotate",
        "GmailAccount.objects.all()\n        .annotate",
    ),
    one(
        "transactions are not IMMEDIATE",
        SQLITE,
        "test_claim.py::test_it_claims_everybody_once_and_never_over_the_limit_from_many_threads",
        "config/settings.py",
        '"transaction_mode": "IMMEDIATE",',
        '"transaction_mode": "DEFERRED",',
    ),
    one(
        "a commit is not synced",
        SQLITE,
        "config/test_database.py::test_it_locks_at_once_and_syncs_every_commit_on_sqlite",
        "config/settings.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=NORMAL",
    ),
    several(
        "the ledger's row is written after the claim's commit",
        SQLITE,
        "test_claim.py::test_it_claims_everybody_once_and_never_over_the_limit_from_many_threads",
        Edit(
            CLAIM,
            "@transaction.atomic\ndef claim_next(",
            "def claim_next(account_id: int, holder: str, now: datetime, most: int):\n"
            "    import dataclasses, time\n"
            "    claims = _claim_next(account_id, holder, now, most)\n"
            "    if isinstance(claims, Turn):\n"
            "        return claims\n"
            "    time.sleep(0.01)\n"
            "    account = GmailAccount.objects.get(pk=account_id)\n"
            "    source, ref = claims[0].message.source, claims[0].message.campaign_id\n"
            "    rows = ledger.reserve(account, source, ref, len(claims), now)\n"
            "    pairs = list(zip(claims, rows))\n"
            "    for claim, row in pairs:\n"
            "        Message.objects.filter(pk=claim.message_id).update(ledger_row=row)\n"
            "    new = dataclasses.replace\n"
            "    return [new(claim, ledger_row_id=row.pk) for claim, row in pairs]\n"
            "\n\n"
            "@transaction.atomic\ndef _claim_next(",
        ),
        Edit(
            CLAIM,
            "    rows = ledger.reserve(account, first.source, first.campaign_id, len(messages),",
            "    (account, first.source, first.campaign_id, len(messages),",
        ),
        Edit(
            CLAIM,
            "row_of = {message.pk: row.pk for message, row in zip(messages, rows, strict=True)}",
            "row_of = {message.pk: None for message in messages}",
        ),
    ),
    one(
        "a claim does not look whether it moved its message",
        SQLITE,
        "test_claim_rules.py::test_it_takes_nothing_that_waits_no_longer",
        CLAIM,
        "    if moved != len(messages):\n",
        "    if moved > len(messages):\n",
    ),
    one(
        "a handful takes more than is free",
        SQLITE,
        "test_handful.py::test_it_takes_no_more_than_is_free",
        "campaigns/planning/sharing.py",
        "count, most = 0, min(most, room.free)",
        "count, most = 0, most",
    ),
    one(
        "a handful is good for ever",
        SQLITE,
        "test_handful.py::test_it_is_asked_anew_what_may_leave_once_a_claim_has_become_old",
        SENDER,
        "if now >= self.good_until:",
        "if False:",
    ),
    one(
        "the rest of a handful is sent although the first was put back",
        SQLITE,
        "test_handful.py::test_the_rest_waits_when_the_first_was_refused",
        SENDER,
        "if self.tally.sent + self.tally.skipped == done:",
        "if False:",
    ),
    one(
        "what was taken back is given back once more",
        SQLITE,
        "test_handful.py::test_what_was_taken_back_meanwhile_is_left_alone",
        OUTCOMES,
        "if still_ours(claim).select_for_update().exists()]",
        "if True]",
    ),
    one(
        "settling does not look whether it moved its message",
        SQLITE,
        "test_recovery.py::test_it_takes_nothing_from_a_worker_that_wakes_up_late "
        "test_claim_rules.py::test_it_takes_no_word_from_a_worker_whose_message_was_claimed_anew",
        OUTCOMES,
        "    if moved != 1:\n",
        "    if moved > 1:\n",
    ),
    one(
        "a move does not look from where",
        SQLITE,
        "campaigns/test_states.py::test_it_moves_only_what_is_where_it_was_thought_to_be",
        STATES,
        "return rows.filter(state=source).update(state=target, **changes)",
        "return rows.update(state=target, **changes)",
    ),
    one(
        "an account is taken from whoever has it",
        SQLITE,
        "test_claim.py::test_it_gives_an_account_to_one_worker_at_a_time",
        CLAIM,
        'is_free("burst_until", now, ACCOUNT_LEASE), pk=account_id',
        "pk=account_id",
    ),
    one(
        "a claim does not look whether the account is still its own",
        SQLITE,
        "test_claim.py::test_it_gives_an_account_to_one_worker_at_a_time",
        CLAIM,
        "    if account.burst_holder != holder:\n        raise LeaseLost\n",
        "",
    ),
    one(
        "an old claim speaks for a message that was claimed anew",
        SQLITE,
        "test_claim_rules.py::test_it_takes_no_word_from_a_worker_whose_message_was_claimed_anew",
        CLAIM,
        "filter(pk=claim.message_id, claim_holder=claim.holder)",
        "filter(pk=claim.message_id)",
    ),
    one(
        "a contact may change accounts within a campaign",
        SQLITE,
        "test_claim.py::test_it_takes_back_its_own_and_leaves_another_account_what_that_had_begun",
        "campaigns/delivery/snapshot.py",
        "        bound_here_or_nowhere, workspace=account.workspace_id,",
        "        workspace=account.workspace_id,",
    ),
    # --- Whose turn it is -------------------------------------------------------------------------
    one(
        "accounts do not stand in line",
        SQLITE,
        "test_schedule.py::test_it_serves_first_who_has_waited_longest",
        SCHEDULE,
        'order_by(F("next_turn_at").asc(nulls_first=True), "id")',
        'order_by("id")',
    ),
    one(
        "a turn does not end while others wait",
        SQLITE,
        "test_schedule.py::test_it_lets_everybody_have_a_turn_before_anybody_has_another",
        SCHEDULE,
        "return asked == 0 or asked % TURN > 0 or not line(timezone.now()).exists()",
        "return True",
    ),
    one(
        "a turn never ends",
        SQLITE,
        "test_schedule.py::test_it_ends_every_turn_at_last",
        SCHEDULE,
        "if stopping.is_set() or asked >= LONGEST_TURN:",
        "if stopping.is_set():",
    ),
    one(
        "two workers wait for the same account",
        POSTGRES,
        "test_schedule.py::test_it_gives_workers_that_take_at_once_an_account_each",
        CLAIM,
        'line.select_for_update(skip_locked=True, of=("self",))',
        'line.select_for_update(of=("self",))',
    ),
    # --- What becomes of a message by itself ------------------------------------------------------
    one(
        "what a dead worker had claimed is not taken back",
        SQLITE,
        "test_recovery.py::test_it_lets_a_message_wait_again_that_was_never_handed_over",
        RECOVERY,
        "state__in=(M.CLAIMED, M.HANDING_OVER)",
        "state=M.HANDING_OVER",
    ),
    one(
        "a claim is taken back while it still runs",
        SQLITE,
        "test_recovery.py::test_it_leaves_a_claim_alone_that_still_runs",
        RECOVERY,
        "Message.objects.filter(left_behind, ",
        "Message.objects.filter(",
    ),
    one(
        "one message that cannot be settled stops all others",
        SQLITE,
        "test_recovery.py::test_one_that_cannot_be_settled_stops_no_other",
        RECOVERY,
        "        except Exception:",
        "        except LookupError:",
    ),
    one(
        "a lease that a wrong clock wrote lasts until tomorrow",
        SQLITE,
        "test_carrying.py::test_no_lease_lasts_until_tomorrow",
        "accounts/leases.py",
        'Q(**{f"{field}__lte": now}) | never',
        'Q(**{f"{field}__lte": now})',
    ),
    one(
        "a campaign is finished while a message is still under way",
        SQLITE,
        "campaigns/test_states.py::test_it_finishes_a_campaign_once_nothing_moves_on_by_itself",
        STATES,
        "UNDER_WAY = (M.WAITING, M.CLAIMED, M.HANDING_OVER)",
        "UNDER_WAY = (M.WAITING, M.CLAIMED)",
    ),
    one(
        "a campaign is finished over what has just begun to wait",
        POSTGRES,
        "campaigns/test_decisions_at_once.py"
        "::test_a_campaign_does_not_finish_over_what_has_just_begun_to_wait",
        STATES,
        "done.select_for_update().order_by",
        "done.order_by",
    ),
    one(
        "what comes back after a cancel waits again",
        SQLITE,
        "test_outcomes.py::test_it_cancels_what_comes_back_after_its_campaign_was_cancelled",
        OUTCOMES,
        "if campaign is not None and campaign.state == Campaign.State.CANCELLED:",
        "if False:",
    ),
    several(
        "what comes back does not lock its campaign",
        POSTGRES,
        "campaigns/test_decisions_at_once.py"
        "::test_nothing_waits_in_a_campaign_that_is_cancelled_as_it_comes_back",
        Edit(
            OUTCOMES,
            "finds the message waiting.\n    locked = Campaign.objects.select_for_update()",
            "finds the message waiting.\n    locked = Campaign.objects.all()",
        ),
        Edit(
            OUTCOMES,
            "as in `put_back`.\n    locked = Campaign.objects.select_for_update()",
            "as in `put_back`.\n    locked = Campaign.objects.all()",
        ),
    ),
]
