"""From the dot on nobody knows: doubt, the bytes, the last look before it, deadlines."""

from tests.mutants.mutation import POSTGRES, SQLITE, Edit, one, several

HANDING_OVER = "campaigns/delivery/handing_over.py"
DOUBT = "campaigns/delivery/doubt.py"
OUTCOMES = "campaigns/delivery/outcomes.py"
SENDER = "campaigns/delivery/sender.py"

MUTATIONS = [
    one(
        "a message in doubt is sent again by itself",
        SQLITE,
        "test_sender.py::test_it_is_in_doubt_when_it_fails_after_the_dot_and_never_sends_again",
        SENDER,
        "        outcomes.in_doubt(claim, str(error), self.clock.now())\n",
        '        outcomes.put_back(claim, M.HANDING_OVER, "", self.clock.now())\n',
    ),
    one(
        "what a dead worker was handing over waits again",
        SQLITE,
        "test_recovery.py::test_it_holds_in_doubt_what_a_dead_worker_was_handing_over",
        "campaigns/delivery/recovery.py",
        "                _doubt(claim, message, now)\n",
        '                outcomes.put_back(claim, M.HANDING_OVER, "", now)\n',
    ),
    one(
        "a line that breaks after the dot is taken for one before it",
        SQLITE,
        "gmail/test_smtp.py"
        "::test_it_does_not_know_the_fate_of_a_message_when_the_answer_to_the_dot_is_lost",
        "gmail/smtp.py",
        "            raise FateUnknown from err\n",
        "            raise\n",
    ),
    several(
        "the handing over is committed behind the dot",
        SQLITE,
        "torture/test_points.py",
        Edit(
            SENDER,
            "        self._finish(claim)\n\n    def _in_time",
            "        reply = self.line.finish()\n"
            "        commit_handing_over(claim, raw, self.clock.now())\n"
            "        self.line.finish = lambda: reply\n"
            "        self._finish(claim)\n"
            "        del self.line.finish\n\n    def _in_time",
        ),
        Edit(
            SENDER,
            "            number = commit_handing_over(claim, raw, self.clock.now())\n",
            "            number = 1\n",
        ),
    ),
    one(
        "the bytes are not kept",
        SQLITE,
        "test_claim.py::test_it_keeps_the_bytes_from_handing_over_on",
        HANDING_OVER,
        "raw = %(raw)s, handed_over_at",
        "raw = NULLIF(%(raw)s, %(raw)s), handed_over_at",
    ),
    one(
        "the bytes are rendered again for 'Send again'",
        SQLITE,
        "test_doubt_search.py::test_the_very_same_bytes_leave_again",
        "campaigns/delivery/compose.py",
        "        if message.raw is not None:\n",
        "        if message.raw is not None and message.campaign_id is None:\n",
    ),
    one(
        "'Send again' does not wait for the end of the old session",
        SQLITE,
        "campaigns/test_decisions.py::test_it_is_not_sent_again_while_the_old_session_may_live",
        "campaigns/decisions.py",
        "Message.objects.filter(doubt.session_is_over(now), ~Exists(_unsure_clock())),",
        "Message.objects.filter(~Exists(_unsure_clock())),",
    ),
    one(
        "an error of our own is followed by a polite QUIT",
        SQLITE,
        "test_sender.py::test_it_says_nothing_more_to_gmail_after_an_error_of_its_own",
        SENDER,
        "        burst.line.drop()\n",
        "        burst.line.close()\n",
    ),
    one(
        "Gmail's word is lost with the database's first trouble",
        SQLITE,
        "test_sender.py::test_it_keeps_gmails_word_while_the_database_is_away",
        SENDER,
        "        for pause in PAUSES:\n",
        "        for pause in ():\n",
    ),
    # --- Asking Sent ------------------------------------------------------------------------------
    one(
        "Sent is asked only once",
        SQLITE,
        "test_doubt.py::test_it_asks_at_growing_distances_and_holds_it_after_fifteen_minutes",
        DOUBT,
        "    if now < since + PATIENCE:\n",
        "    if False:\n",
    ),
    one(
        "what is found in Sent stays in doubt",
        SQLITE,
        "test_doubt.py::test_found_is_sent_and_its_use_of_the_limit_counts_as_before",
        DOUBT,
        "    if not _end_as_sent(_still_looked_for(message), message, now):\n",
        "    if True:\n",
    ),
    one(
        "what is not in Sent is sent again",
        SQLITE,
        "test_doubt.py::test_it_asks_at_growing_distances_and_holds_it_after_fifteen_minutes",
        DOUBT,
        "        hold(message, Held.NOT_FOUND, now, last_look)\n",
        "        states.move_messages(_same_doubt(message), M.IN_DOUBT, M.WAITING, **OVER)\n",
    ),
    one(
        "a mailbox that cannot be read counts as one without the copy",
        SQLITE,
        "test_doubt_search.py::test_it_is_not_held_before_it_was_really_looked_for",
        "campaigns/delivery/sent_search.py",
        "            doubt.not_readable(message, str(error), now)\n",
        "            doubt.not_found(message, now)\n",
    ),
    # --- The last look before the dot -------------------------------------------------------------
    several(
        "opt-outs count only at launch",
        SQLITE,
        "test_sender.py::test_it_does_not_write_to_the_suppressed_nor_to_the_deleted",
        Edit(
            HANDING_OVER,
            "AND suppression.email_hash = %(to_hash)s",
            "AND suppression.email_hash <> %(to_hash)s",
        ),
        Edit("campaigns/delivery/claim.py", "if hashed in opted_out}", "if False}"),
    ),
    one(
        "an opt-out is not looked for before the dot",
        SQLITE,
        "test_last_look.py::test_it_gives_no_dot_after_an_opt_out_in_the_middle_of_a_message",
        HANDING_OVER,
        "AND suppression.email_hash = %(to_hash)s",
        "AND suppression.email_hash <> %(to_hash)s",
    ),
    one(
        "a pause or a cancel is not looked for before the dot",
        SQLITE,
        "test_last_look.py::test_it_gives_no_dot_after_a_pause_in_the_middle_of_a_message",
        HANDING_OVER,
        " AND campaign.state <> %(sending)s",
        " AND campaign.state = '' AND %(sending)s <> ''",
    ),
    one(
        "a halt is not looked for before the dot",
        SQLITE,
        "accounts/test_halts.py::test_it_stops_a_message_that_was_claimed_before",
        HANDING_OVER,
        " AND halt.ended_at IS NULL",
        " AND halt.ended_at IS NULL AND halt.reason = ''",
    ),
    one(
        "the last look does not lock what it looks at",
        POSTGRES,
        "test_claim.py::test_it_sees_a_pause_that_was_committed_while_it_waited_for_the_row",
        HANDING_OVER,
        'still_ours(claim).select_for_update().values_list("pk").first() is None',
        'still_ours(claim).values_list("pk").first() is None',
    ),
    one(
        "the dot may be given after the claim has run out",
        SQLITE,
        "test_claim.py::test_it_gives_no_dot_after_a_pause_an_opt_out_or_its_time",
        HANDING_OVER,
        " AND claim_until > %(now)s",
        "",
    ),
    one(
        "a worker that slept does not notice",
        SQLITE,
        "test_sender.py::test_it_gives_no_dot_when_it_slept_past_its_time",
        SENDER,
        "return not self.deadline.passed and not self.clock.has_moved",
        "return not self.clock.has_moved",
    ),
    one(
        "a deadline never passes",
        SQLITE,
        "test_deadline.py::test_it_passes_on_the_clock_that_counts_suspend",
        "campaigns/delivery/deadline.py",
        "        return time.clock_gettime(_CLOCK) >= self._ends\n",
        "        return False\n",
    ),
    one(
        "a deadline runs on a clock that sleeps with the machine",
        SQLITE,
        "test_deadline.py::test_it_passes_on_the_clock_that_counts_suspend",
        "campaigns/delivery/deadline.py",
        '_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)',
        "_CLOCK = time.CLOCK_MONOTONIC",
    ),
    one(
        "a clock that was set between claim and dot is not noticed",
        SQLITE,
        "test_clock.py::test_one_that_was_in_hand_is_not_given_its_end",
        SENDER,
        "return not self.deadline.passed and not self.clock.has_moved",
        "return not self.deadline.passed",
    ),
    one(
        "nobody looks between the commit and the dot",
        SQLITE,
        "test_clock.py::test_one_that_was_committed_is_not_given_its_end_either",
        SENDER,
        "        if not self._in_time():\n            # Slept",
        "        if False:\n            # Slept",
    ),
    one(
        "what is in hand is taken for what a clock ahead has written",
        SQLITE,
        "test_claim_rules.py::test_it_leaves_a_worker_alone_that_waits_for_gmails_answer",
        "campaigns/delivery/recovery.py",
        'is_free("claim_until", now, ANSWER + CLAIM)',
        'is_free("claim_until", now, CLAIM)',
    ),
    one(
        "a contact that was deleted is not looked for before the dot",
        SQLITE,
        "test_last_look.py::test_it_gives_no_dot_after_its_contact_was_deleted",
        HANDING_OVER,
        "    AND (campaign_id IS NULL OR contact_id IS NOT NULL)\n",
        "",
    ),
    one(
        "an account that was disconnected is not looked for before the dot",
        SQLITE,
        "test_last_look.py::test_it_gives_no_dot_after_its_account_was_disconnected",
        HANDING_OVER,
        " AND account.state <> %(ready)s",
        " AND account.state = '' AND %(ready)s <> ''",
    ),
]
