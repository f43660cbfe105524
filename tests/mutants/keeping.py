"""What an older copy of the database must not send again, and what may be deleted."""

from tests.mutants.mutation import POSTGRES, SQLITE, Edit, one, several

SENDER = "campaigns/delivery/sender.py"
RESTORED = "campaigns/delivery/restored.py"
RETENTION = "campaigns/keeping/retention.py"

MUTATIONS = [
    one(
        "an older copy of the database is not noticed",
        SQLITE,
        "test_generation.py::test_it_sends_nothing_from_an_older_copy",
        "accounts/generation.py",
        "    if beside <= _of_database():\n",
        "    if True:\n",
    ),
    several(
        "the number beside the database is written behind the dot",
        SQLITE,
        "test_generation.py::test_it_stands_beside_the_database_before_gmail_answers",
        Edit(SENDER, "        if not self._remember(claim, number):\n            return\n", ""),
        Edit(
            SENDER,
            "            self._note_sent(claim, str(reply), self.clock.now())\n",
            "            generation.remember(1)\n"
            "            self._note_sent(claim, str(reply), self.clock.now())\n",
        ),
    ),
    one(
        "a copy that was restored is not halted",
        SQLITE,
        "campaigns/keeping/test_backup.py::test_it_halts_what_it_restores",
        "campaigns/keeping/restore.py",
        "        generation.restored(datetime.fromisoformat(archive.manifest.made_at), now)\n",
        "",
        migrated=True,
    ),
    one(
        "what had left before a restore is found in Sent and waits all the same",
        SQLITE,
        "test_restored.py::test_it_writes_to_nobody_twice_after_a_restore",
        RESTORED,
        "count += _settle(account, at, now)",
        "count += len(at)",
        migrated=True,
    ),
    one(
        "a restored account goes on although its Sent could not be read",
        SQLITE,
        "test_restored.py::test_it_stays_halted_while_sent_cannot_be_read",
        RESTORED,
        '        Halt.objects.filter(pk=halt.pk).update(found=found % {"why": error})\n'
        "        return\n",
        "        count = 0\n",
    ),
    one(
        "a restored account does not wait for the others of its campaigns",
        SQLITE,
        "test_restored.py::test_it_waits_for_the_other_accounts_of_its_campaigns",
        RESTORED,
        "        others = _in_the_way(halt.account)\n",
        "        others: list[str] = []\n",
    ),
    # --- Backup -----------------------------------------------------------------------------------
    one(
        "a backup is a copy of the file alone",
        SQLITE,
        "campaigns/keeping/test_backup.py::test_it_is_one_moment_while_others_write",
        "campaigns/keeping/sqlite.py",
        "        _copy(path(), draft, progress)\n",
        "        draft.write_bytes(path().read_bytes())\n",
        migrated=True,
    ),
    one(
        "a backup is of several moments",
        POSTGRES,
        "campaigns/keeping/test_backup.py::test_it_is_one_moment_while_others_write",
        "campaigns/keeping/postgres.py",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        migrated=True,
    ),
    # --- Retention --------------------------------------------------------------------------------
    one(
        "bytes are deleted while the fate of their message is unknown",
        SQLITE,
        "campaigns/keeping/test_retention.py"
        "::test_it_keeps_bytes_until_the_fate_of_their_message_is_known",
        RETENTION,
        "    done = kept.filter(Q(state__in=FATE_KNOWN)",
        "    done = kept.filter(Q(state__in=(*FATE_KNOWN, M.IN_DOUBT))",
    ),
    one(
        "ledger rows are deleted that still count: reserved long ago",
        SQLITE,
        "campaigns/keeping/test_retention.py::TestLedger::test_it_never_lets_go_what_still_counts",
        RETENTION,
        "state__in=(LedgerRow.State.ACCEPTED, LedgerRow.State.UNKNOWN), at__lt=cutoff",
        "reserved_at__lt=cutoff",
    ),
    one(
        "ledger rows are deleted that still count: by a clock that is ahead",
        SQLITE,
        "campaigns/keeping/test_retention.py::test_a_clock_that_is_far_ahead_empties_no_window",
        RETENTION,
        "_before(_last_use(now), settings.KEEP_LEDGER_DAYS)",
        "_before(now, settings.KEEP_LEDGER_DAYS)",
    ),
    one(
        "ledger rows are deleted whose message is in doubt",
        SQLITE,
        "campaigns/keeping/test_retention.py::TestLedger::test_it_never_lets_go_what_still_counts",
        RETENTION,
        "filter(settled, ~Exists(in_use))",
        "filter(settled)",
    ),
    one(
        "so few days of the ledger may be kept that some of it still counts",
        SQLITE,
        "campaigns/keeping/test_retention.py::test_it_is_told_when_too_little_would_be_kept",
        "campaigns/checks.py",
        'KEEP_LEDGER_DAYS": 2',
        'KEEP_LEDGER_DAYS": 0',
    ),
    one(
        "after a restore Sent is searched by our own days",
        SQLITE,
        "test_restored.py::test_it_asks_for_more_days_since_each_server_has_days_of_its_own",
        RESTORED,
        "DAYS_BEFORE = timedelta(days=2)",
        "DAYS_BEFORE = timedelta(days=0)",
    ),
    one(
        "after a restore Trash is not read",
        SQLITE,
        "test_restored.py::test_it_finds_what_a_person_has_deleted_from_sent_since",
        RESTORED,
        "filter(None, (folders.sent, folders.trash))",
        "(folders.sent,)",
    ),
    one(
        "after a restore Gmail's clock is taken for ours to the second",
        SQLITE,
        "test_restored.py::test_it_finds_what_left_right_after_the_copy_by_a_clock_that_is_behind",
        RESTORED,
        "mail.received >= copied_at - CLOCKS_APART",
        "mail.received >= copied_at - timedelta(seconds=30)",
    ),
    one(
        "after a restore it is believed where a message is bound",
        SQLITE,
        "test_restored.py::test_it_waits_for_the_others_also_where_the_copy_says_it_is_bound",
        RESTORED,
        "Q(account=None) | Q(account=account, handed_over_at=None)",
        "account=None",
    ),
    one(
        "after a restore a second try does not count",
        SQLITE,
        "test_restored.py::test_it_counts_what_was_sent_again_since_the_copy",
        RESTORED,
        "        if _is_of_another_try(message, at):\n",
        "        if False:\n",
    ),
    one(
        "after a restore Sent is read by a clock that is not believed",
        SQLITE,
        "test_clock.py::test_it_reads_no_sent_after_a_restore_by_a_clock_that_is_not_believed",
        "campaigns/tasks.py",
        "def resume_restored() -> None:\n    if not watch.look_around():\n        return\n",
        "def resume_restored() -> None:\n",
    ),
    one(
        "a backup is dated when it is done",
        SQLITE,
        "campaigns/keeping/test_backup.py::test_it_is_dated_before_the_copy_begins",
        "campaigns/keeping/backup.py",
        "        if with_keys:\n            keys.add(writer)\n",
        "        manifest.made_at = timezone.now().isoformat()\n"
        "        if with_keys:\n            keys.add(writer)\n",
        migrated=True,
    ),
]
