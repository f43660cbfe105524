"""What comes back: heard once, believed from who can know, and acted upon."""

from tests.mutants.mutation import SQLITE, Edit, one, several

FETCH = "campaigns/inbound/fetch.py"
APPLY = "campaigns/inbound/apply.py"
BOUNCES = "campaigns/inbound/bounces.py"
JUDGING = "campaigns/inbound/judging.py"
TRUST = "gmail/trust.py"
HEARING = "campaigns/inbound/test_hearing.py"
TESTS = "campaigns/inbound/test_bounces.py"
TOO_MANY = "campaigns/inbound/test_judging.py"

MUTATIONS = [
    one(
        "a mail that is read twice counts twice",
        SQLITE,
        f"{HEARING}::test_it_hears_every_kind_of_answer_once",
        APPLY,
        "    return mail if new else None\n",
        "    return mail\n",
    ),
    one(
        "a forged report is believed",
        SQLITE,
        f"{TESTS}::test_a_report_that_a_stranger_forged_changes_nothing",
        APPLY,
        "    if mail is None or not trusted:\n",
        "    if mail is None:\n",
    ),
    one(
        "whoever calls himself mailer-daemon of Gmail is believed",
        SQLITE,
        "gmail/test_trust.py",
        TRUST,
        '    return bool(_passed(mail, "dkim", "dmarc") & GMAIL)\n',
        "    return True\n",
    ),
    one(
        "what stands below Gmail's own results is believed",
        SQLITE,
        "gmail/test_trust.py",
        TRUST,
        '    if not _SERVER.fullmatch((server.split() or [""])[0]):\n',
        "    if False:\n",
    ),
    one(
        "an address that does not work is written to again",
        SQLITE,
        f"{HEARING}::test_it_hears_every_kind_of_answer_once",
        BOUNCES,
        "        _suppress(message, report.said)\n",
        "        pass\n",
    ),
    one(
        "one failure for now suppresses an address",
        SQLITE,
        f"{TESTS}::test_three_failures_in_a_row_in_different_campaigns_suppress_an_address",
        BOUNCES,
        "    return len(last) == times == failed",
        "    return len(last) <= times and 1 <= failed",
    ),
    one(
        "failures are counted that were not in a row",
        SQLITE,
        f"{TESTS}::test_one_that_arrives_between_begins_the_count_anew",
        BOUNCES,
        "    last = list(last_of.values())[:times]\n",
        "    last = list(last_of.values())\n    times = min(times, len(last))\n"
        "    last = [one for one in last if Event.objects.filter(message=one).exists()]\n",
    ),
    one(
        "a campaign of which too much bounces goes on",
        SQLITE,
        f"{TOO_MANY}::test_more_than_five_in_a_hundred_pause_the_campaign",
        JUDGING,
        "    if count * 100 <= MOST_PERCENT * IN_A_ROW:\n",
        "    if count * 100 <= 10 * MOST_PERCENT * IN_A_ROW:\n",
    ),
    one(
        "what bounced before its person went on is held against a campaign again",
        SQLITE,
        f"{TOO_MANY}::test_after_its_person_has_gone_on_only_what_leaves_then_is_judged",
        "campaigns/control.py",
        '"judged_from": timezone.now()',
        '"judged_from": None',
    ),
    one(
        "Gmail's own block is held against the recipient",
        SQLITE,
        f"{HEARING}::test_gmails_own_block_rests_the_account_and_blames_nobody",
        BOUNCES,
        "    kind = Kind.GMAIL_BLOCKED if report.by_gmail else _KINDS[report.verdict]\n",
        "    kind = Kind.BOUNCED if report.by_gmail else _KINDS[report.verdict]\n",
    ),
    one(
        "an account goes on after Gmail's own block",
        SQLITE,
        f"{HEARING}::test_gmails_own_block_rests_the_account_and_blames_nobody",
        APPLY,
        "    if report.by_gmail:\n",
        "    if False:\n",
    ),
    one(
        "a limit notice that came too early is forgotten",
        SQLITE,
        f"{HEARING}::test_a_limit_notice_about_what_is_just_being_handed_over_comes_again",
        APPLY,
        "    again_at = now + AGAIN if came_to.come_again else None\n",
        "    again_at = None\n",
    ),
    one(
        "an opt-out by mail is not heard",
        SQLITE,
        f"{HEARING}::test_it_hears_every_kind_of_answer_once",
        FETCH,
        "        named = matching.by_number(account, number)\n",
        "        named = None\n",
    ),
    one(
        "Spam is not read",
        SQLITE,
        f"{HEARING}::test_it_reads_spam_by_its_flag",
        FETCH,
        "for name in (folders.all_mail or folders.inbox, folders.junk) if name]",
        "for name in (folders.all_mail or folders.inbox,) if name]",
    ),
    one(
        "everything is read anew each time",
        SQLITE,
        f"{HEARING}::test_it_hears_every_kind_of_answer_once",
        FETCH,
        "                    read_to=some[-1]\n",
        "                    read_to=0\n",
    ),
    one(
        "what our own side wrote counts as an answer",
        SQLITE,
        f"{HEARING}::test_it_does_not_take_its_own_side_for_an_answer",
        FETCH,
        "    own = _own_addresses(account)\n",
        "    own: set[str] = set()\n",
    ),
    several(
        "other people's mail is kept",
        SQLITE,
        f"{HEARING}::test_it_keeps_nothing_of_other_mail",
        Edit(
            FETCH,
            "        if named or (concerns and header.sender not in own):\n",
            "        if True:\n",
        ),
        Edit(
            APPLY,
            "    elif came.kind is Kind.OPT_OUT:\n",
            "    else:\n",
        ),
    ),
]
