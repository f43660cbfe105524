"""Never over the limit: the window, mail by hand, what Gmail teaches, limit notices, the clock."""

from tests.mutants.mutation import POSTGRES, SQLITE, one

QUOTA = "accounts/quota.py"
LEDGER = "accounts/ledger.py"
BY_HAND = "accounts/by_hand.py"
NOTICE = "campaigns/delivery/limit_notice.py"
OUTCOMES = "campaigns/delivery/outcomes.py"

MUTATIONS = [
    one(
        "the window is 23 hours",
        SQLITE,
        "test_claim_rules.py::test_it_counts_24_hours_and_the_margin",
        QUOTA,
        "WINDOW = timedelta(hours=24)",
        "WINDOW = timedelta(hours=23)",
    ),
    one(
        "the window ends without its margin",
        SQLITE,
        "accounts/clock/test_rules.py"
        "::test_the_margin_covers_two_clocks_that_are_off_as_far_as_can_be",
        QUOTA,
        "MARGIN = 2 * rules.AT_MOST_OFF + timedelta(seconds=1)",
        "MARGIN = timedelta(seconds=0)",
    ),
    one(
        "what is only reserved does not count",
        SQLITE,
        "test_claim.py::test_it_stops_at_the_limit_and_counts_what_is_only_reserved",
        LEDGER,
        "return LedgerRow.objects.exclude(state=LedgerRow.State.VOID)",
        'return LedgerRow.objects.exclude(state__in=("void", "reserved"))',
    ),
    one(
        "a use may be settled twice",
        SQLITE,
        "test_outcomes.py::test_it_settles_a_use_only_once",
        LEDGER,
        "LedgerRow.objects.filter(pk=row_id, state=LedgerRow.State.RESERVED)",
        "LedgerRow.objects.filter(pk=row_id)",
    ),
    one(
        "the use of a message in doubt is given back",
        SQLITE,
        "test_outcomes.py::test_it_is_in_doubt_when_the_answer_is_lost",
        OUTCOMES,
        "    ledger.unknown(claim.ledger_row_id, now + SESSION_LIFE)\n",
        "    ledger.void(claim.ledger_row_id)\n",
    ),
    one(
        "a message in doubt counts from the last sign of life",
        SQLITE,
        "test_outcomes.py::test_it_is_in_doubt_when_the_answer_is_lost",
        OUTCOMES,
        "    ledger.unknown(claim.ledger_row_id, now + SESSION_LIFE)\n",
        "    ledger.unknown(claim.ledger_row_id, now)\n",
    ),
    one(
        "mail of its own may pass the limit",
        SQLITE,
        "test_claim.py::test_it_holds_even_its_own_mail_to_the_limit",
        QUOTA,
        "return max(self.in_force(now) - self.kept_by_hand, 0)",
        "return 2 * self.in_force(now)",
    ),
    one(
        "the plan for a new account does not hold",
        SQLITE,
        "accounts/test_limits.py::test_it_grows_by_the_plan_for_a_new_account",
        QUOTA,
        "for each in (self.learned, self.ramp) if each is not None",
        "for each in (self.learned,) if each is not None",
    ),
    one(
        "of two equal limits the first to grow is believed",
        SQLITE,
        "accounts/test_limits.py::test_it_grows_only_once_every_limit_that_holds_it_has",
        QUOTA,
        "return max(known) if len(known) == len(moments) else None",
        "return min(known) if len(known) == len(moments) else None",
    ),
    # --- Mail written by hand ---------------------------------------------------------------------
    one(
        "mail by hand is counted as one recipient",
        SQLITE,
        "test_read_sent.py::test_it_counts_every_recipient_of_a_mail_once_however_often_it_reads",
        BY_HAND,
        "Copy(mail.uid, at, mail.header.recipients)",
        "Copy(mail.uid, at, 1)",
    ),
    one(
        "two readers of Sent do not follow each other",
        POSTGRES,
        "test_read_sent.py::test_it_counts_once_what_two_readers_see_at_once",
        BY_HAND,
        "    GmailAccount.objects.select_for_update().get(pk=account.pk)\n    known",
        "    known",
    ),
    one(
        "Sent is not read before a claim",
        SQLITE,
        "test_read_sent.py::test_it_reads_before_it_sends_and_leaves_room_for_what_was_written",
        "accounts/sent.py",
        "    return tried_at is None or abs(now - tried_at) >= READ_EVERY\n",
        "    return False\n",
    ),
    one(
        "Sent is not read again while sending goes on",
        SQLITE,
        "test_read_sent.py::test_it_reads_again_while_sending_goes_on",
        "accounts/sent.py",
        "    return tried_at is None or abs(now - tried_at) >= READ_EVERY\n",
        "    return tried_at is None\n",
    ),
    one(
        "nothing is kept free where Sent cannot be read",
        SQLITE,
        "test_read_sent.py::test_it_keeps_the_whole_reserve_free_while_sent_is_hidden",
        "accounts/sent.py",
        "return may_be_read(account) and not account.sent_trouble",
        "return True",
    ),
    # --- What Gmail teaches -----------------------------------------------------------------------
    one(
        "Gmail's own limit is not learned",
        SQLITE,
        "test_outcomes.py::test_it_puts_back_and_rests_at_gmails_limit",
        "accounts/standing.py",
        "update(learned_limit=learned, learned_at=at)",
        "update(learned_at=at)",
    ),
    one(
        "Gmail's limit is held against the recipient",
        SQLITE,
        "test_sender.py::test_it_stops_at_gmails_own_limit_and_loses_nobody",
        "gmail/replies.py",
        "        return Meaning.LIMIT\n",
        "        return Meaning.RECIPIENT\n",
    ),
    one(
        "a limit notice does not lower the limit",
        SQLITE,
        "test_limit_notice.py"
        "::test_it_refunds_nothing_and_lets_the_account_rest_with_a_lower_limit",
        "accounts/standing.py",
        "    _learn(account, used, at)\n",
        "",
    ),
    one(
        "a limit notice puts back more than it names",
        SQLITE,
        "test_limit_notice.py::test_it_puts_back_exactly_what_the_notice_names",
        NOTICE,
        "return rows.filter(message_id__in=notice.message_ids)",
        "return rows",
    ),
    one(
        "what a limit notice may mean is sent again by itself",
        SQLITE,
        "test_limit_notice.py::test_it_holds_what_the_notice_may_mean",
        NOTICE,
        "if notice.message_ids and _may_leave_again(message):",
        "if _may_leave_again(message):",
    ),
    one(
        "a limit notice that is read twice counts twice",
        SQLITE,
        "test_limit_notice.py::test_it_is_harmless_when_heard_twice",
        NOTICE,
        "    return Q(noticed_at=None) | Q(noticed_at__lt=at)\n",
        "    return Q()\n",
    ),
    # --- The clock --------------------------------------------------------------------------------
    one(
        "whatever the clock shows is believed",
        SQLITE,
        "accounts/clock/test_watch.py::test_a_jump_halts_at_once_and_its_end_lets_go",
        "accounts/clock/watch.py",
        "    return known.found_right is not None and known.doubt is None\n",
        "    return True\n",
    ),
    one(
        "what the boot counts is not compared",
        SQLITE,
        "accounts/clock/test_watch.py::test_a_jump_halts_at_once_and_its_end_lets_go",
        "accounts/clock/rules.py",
        "reading.boottime >= since.boottime and abs(step(since, reading)) <= MAY_STEP",
        "reading.boottime >= since.boottime",
    ),
    one(
        "the ledger is no witness of the time",
        SQLITE,
        "accounts/clock/test_watch.py"
        "::test_a_clock_that_the_ledger_contradicts_needs_two_answers_of_the_server",
        "accounts/clock/watch.py",
        'return ours.order_by("-id").values_list("reserved_at", flat=True).first()',
        "return None",
    ),
    one(
        "what counts is not carried over when the clock comes right",
        SQLITE,
        "accounts/clock/test_watch.py"
        "::test_a_person_ends_it_and_what_was_sent_counts_as_long_as_before",
        "accounts/clock/carrying.py",
        "    ledger.carry(account, by, now)\n",
        "",
    ),
    one(
        "another machine goes on by a clock that the account counts by no more",
        SQLITE,
        "accounts/clock/test_machines.py"
        "::test_a_person_who_insists_takes_the_account_from_the_other_machine",
        "accounts/clock/watch.py",
        "    _others(check).update(right_at=None, right_boottime=None)\n",
        "",
    ),
    one(
        "a burst goes on by a clock that the account counts by no more",
        SQLITE,
        "accounts/clock/test_machines.py::test_two_never_send_by_two_clocks",
        "accounts/clock/watch.py",
        '        burst_holder="",\n        burst_until=None,\n',
        "",
    ),
    one(
        "two machines send, each by a person's word alone",
        SQLITE,
        "accounts/clock/test_machines.py::test_by_a_persons_word_alone_only_one_machine_sends",
        "accounts/clock/watch.py",
        " or (said_right and answer is None)",
        "",
    ),
    one(
        "what is settled by a clock of before ceases to count",
        SQLITE,
        "accounts/clock/test_machines.py"
        "::test_what_is_settled_by_a_clock_of_before_counts_from_when_it_was_reserved",
        "accounts/ledger.py",
        "at=None if at is None else not_before",
        "at=at",
    ),
]
