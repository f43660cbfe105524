"""Each way in which a promise is broken on purpose, and the tests that must notice."""

from dataclasses import dataclass

SQLITE, POSTGRES = "sqlite", "postgres"

DELIVERY = "tests/campaigns/delivery"
CLAIM = "campaigns/delivery/claim.py"
OUTCOMES = "campaigns/delivery/outcomes.py"
SENDER = "campaigns/delivery/sender.py"
RECOVERY = "campaigns/delivery/recovery.py"


@dataclass(frozen=True)
class Edit:
    """In `file`, `old` is there exactly once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Mutation:
    """`database` is where the fault shows; `tests` are what is run, in this order."""

    name: str
    database: str
    tests: tuple[str, ...]
    edits: tuple[Edit, ...]


def one(name: str, database: str, tests: str, file: str, old: str, new: str) -> Mutation:
    """A single edit; `tests` are files of the tests of delivery, or paths."""
    paths = tuple(
        test if test.startswith("tests/") else f"{DELIVERY}/{test}" for test in tests.split()
    )
    return Mutation(name, database, paths, (Edit(file, old, new),))


MUTATIONS = [
    # --- One at a time ---------------------------------------------------------------------------
    one(
        "the account's row is not locked for a claim",
        POSTGRES,
        "test_claim.py",
        CLAIM,
        "GmailAccount.objects.select_for_update()\n        .annotate",
        "GmailAccount.objects.all()\n        .annotate",
    ),
    one(
        "transactions are not IMMEDIATE",
        SQLITE,
        "test_claim.py tests/config/test_database.py",
        "config/settings.py",
        '"transaction_mode": "IMMEDIATE",',
        '"transaction_mode": "DEFERRED",',
    ),
    one(
        "a commit is not synced",
        SQLITE,
        "tests/config/test_database.py",
        "config/settings.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=NORMAL",
    ),
    Mutation(
        "the ledger's row is written after the claim's commit",
        SQLITE,
        (f"{DELIVERY}/test_claim.py",),
        (
            Edit(
                CLAIM,
                "@transaction.atomic\ndef claim_next(",
                "def claim_next(account_id: int, holder: str, now: datetime) -> Claim | Turn:\n"
                "    import dataclasses, time\n"
                "    claim = _claim_next(account_id, holder, now)\n"
                "    if isinstance(claim, Turn):\n"
                "        return claim\n"
                "    time.sleep(0.01)\n"
                "    account = GmailAccount.objects.get(pk=account_id)\n"
                "    message = claim.message\n"
                "    row = ledger.reserve(account, message.source, message.campaign_id, now)\n"
                "    Message.objects.filter(pk=message.pk).update(ledger_row=row)\n"
                "    return dataclasses.replace(claim, ledger_row_id=row.pk)\n\n\n"
                "@transaction.atomic\ndef _claim_next(",
            ),
            Edit(
                CLAIM,
                "    row = ledger.reserve(account, message.source, message.campaign_id, now)\n"
                "    holder = uuid",
                "    holder = uuid",
            ),
            Edit(CLAIM, "        ledger_row=row,\n", ""),
            Edit(CLAIM, "        ledger_row_id=row.pk,\n", "        ledger_row_id=0,\n"),
        ),
    ),
    one(
        "a claim does not look whether it moved its message",
        SQLITE,
        "test_claim_rules.py",
        CLAIM,
        "    if moved != 1:\n        # Rolls the ledger",
        "    if moved > 1:\n        # Rolls the ledger",
    ),
    one(
        "settling does not look whether it moved its message",
        SQLITE,
        "test_recovery.py test_outcomes.py",
        OUTCOMES,
        "    if moved != 1:\n",
        "    if moved > 1:\n",
    ),
    one(
        "a move does not look from where",
        SQLITE,
        "tests/campaigns/test_states.py test_claim_rules.py",
        "campaigns/states.py",
        "return rows.filter(state=source).update(state=target, **changes)",
        "return rows.update(state=target, **changes)",
    ),
    one(
        "an account is taken from whoever has it",
        SQLITE,
        "test_claim.py",
        CLAIM,
        ".filter(pk=account_id).exclude(burst_until__gt=now)",
        ".filter(pk=account_id)",
    ),
    one(
        "a claim does not look whether the account is still its own",
        SQLITE,
        "test_claim.py",
        CLAIM,
        "    if account.burst_holder != holder:\n        raise LeaseLost\n",
        "",
    ),
    one(
        "an old claim speaks for a message that was claimed anew",
        SQLITE,
        "test_claim_rules.py",
        CLAIM,
        "filter(pk=claim.message_id, claim_holder=claim.holder)",
        "filter(pk=claim.message_id)",
    ),
    one(
        "a ledger row may be settled twice",
        SQLITE,
        "test_outcomes.py",
        "accounts/ledger.py",
        "LedgerRow.objects.filter(pk=row_id, state=LedgerRow.State.RESERVED)",
        "LedgerRow.objects.filter(pk=row_id)",
    ),
    # --- The limit -------------------------------------------------------------------------------
    one(
        "the window is 23 hours",
        SQLITE,
        "test_claim_rules.py",
        "accounts/quota.py",
        "WINDOW = timedelta(hours=24)",
        "WINDOW = timedelta(hours=23)",
    ),
    one(
        "the window ends without its margin",
        SQLITE,
        "test_claim_rules.py tests/accounts/test_quota.py",
        "accounts/quota.py",
        "MARGIN = 2 * rules.AT_MOST_OFF + timedelta(seconds=1)",
        "MARGIN = timedelta(seconds=0)",
    ),
    one(
        "what is only reserved does not count",
        SQLITE,
        "test_claim.py",
        "accounts/ledger.py",
        "return LedgerRow.objects.exclude(state=LedgerRow.State.VOID)",
        'return LedgerRow.objects.exclude(state__in=("void", "reserved"))',
    ),
    one(
        "the use of a message in doubt is given back",
        SQLITE,
        "test_outcomes.py test_recovery.py",
        OUTCOMES,
        "    ledger.unknown(claim.ledger_row_id, now + SESSION_LIFE)\n",
        "    ledger.void(claim.ledger_row_id)\n",
    ),
    one(
        "a message in doubt counts from the last sign of life",
        SQLITE,
        "test_outcomes.py test_recovery.py",
        OUTCOMES,
        "    ledger.unknown(claim.ledger_row_id, now + SESSION_LIFE)\n",
        "    ledger.unknown(claim.ledger_row_id, now)\n",
    ),
    one(
        "Gmail's own limit is not learned",
        SQLITE,
        "test_outcomes.py tests/accounts/test_standing.py",
        "accounts/standing.py",
        "update(learned_limit=learned, learned_at=at)",
        "update(learned_at=at)",
    ),
    # --- The clock -------------------------------------------------------------------------------
    one(
        "whatever the clock shows is believed",
        SQLITE,
        "tests/accounts/clock",
        "accounts/clock/watch.py",
        "    return known.found_right is not None and known.doubt is None\n",
        "    return True\n",
    ),
    # --- An older copy of the database -----------------------------------------------------------
    one(
        "an older copy of the database is not noticed",
        SQLITE,
        "tests/accounts/test_generation.py",
        "accounts/generation.py",
        "    if beside <= _of_database():\n",
        "    if True:\n",
    ),
    one(
        "nothing is written beside the database",
        SQLITE,
        "tests/accounts/test_generation.py",
        SENDER,
        "            generation.remember(number)\n",
        "            pass\n",
    ),
    # --- From the dot on -------------------------------------------------------------------------
    one(
        "a message in doubt is sent again by itself",
        SQLITE,
        "test_sender.py",
        SENDER,
        "        outcomes.in_doubt(claim, str(error), self.clock.now())\n",
        '        outcomes.put_back(claim, M.HANDING_OVER, "", self.clock.now())\n',
    ),
    one(
        "what a dead worker was handing over waits again",
        SQLITE,
        "test_recovery.py",
        RECOVERY,
        "                _doubt(claim, message)\n",
        '                outcomes.put_back(claim, M.HANDING_OVER, "", now)\n',
    ),
    one(
        "a line that breaks after the dot is taken for one before it",
        SQLITE,
        "tests/gmail/test_smtp.py",
        "gmail/smtp.py",
        "            raise FateUnknown from err\n",
        "            raise\n",
    ),
    Mutation(
        "the handing over is committed behind the dot",
        SQLITE,
        (f"{DELIVERY}/test_sender.py", "tests/torture/test_points.py"),
        (
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
    ),
    one(
        "the bytes are not kept",
        SQLITE,
        "test_claim.py test_doubt_search.py",
        CLAIM,
        "        raw=raw,\n        handed_over_at=now,",
        "        handed_over_at=now,",
    ),
    one(
        "the bytes are rendered again for 'Send again'",
        SQLITE,
        "test_doubt_search.py",
        "campaigns/delivery/compose.py",
        "        if message.raw is not None:\n",
        "        if message.raw is not None and message.campaign_id is None:\n",
    ),
    one(
        "an error of our own is followed by a polite QUIT",
        SQLITE,
        "test_sender.py",
        SENDER,
        "        burst.line.drop()\n",
        "        burst.line.close()\n",
    ),
    one(
        "Gmail's word is lost with the database's first trouble",
        SQLITE,
        "test_sender.py",
        SENDER,
        "        for pause in PAUSES:\n",
        "        for pause in ():\n",
    ),
    # --- The last look ---------------------------------------------------------------------------
    one(
        "opt-outs count only at launch",
        SQLITE,
        "test_claim.py test_sender.py",
        CLAIM,
        "return Q(source=LedgerRow.Source.SYSTEM) | Q(~Exists(suppressed))",
        "return Q(source=LedgerRow.Source.SYSTEM) | ~Q(pk=None)",
    ),
    one(
        "a pause is not seen at the dot",
        SQLITE,
        "test_claim.py test_sender.py",
        CLAIM,
        "filter(may_reach(claim), ~Exists(stopped()), ~halted)",
        "filter(may_reach(claim), ~halted)",
    ),
    one(
        "a halt is not seen at the dot",
        SQLITE,
        "tests/accounts/test_halts.py",
        CLAIM,
        "filter(may_reach(claim), ~Exists(stopped()), ~halted)",
        "filter(may_reach(claim), ~Exists(stopped()))",
    ),
    one(
        "the last look does not lock what it looks at",
        POSTGRES,
        "test_claim.py",
        CLAIM,
        'held(claim).select_for_update().values_list("pk").first() is None',
        'held(claim).values_list("pk").first() is None',
    ),
    one(
        "the dot may be given after the claim has run out",
        SQLITE,
        "test_claim.py",
        CLAIM,
        "wanted.filter(claim_until__gt=now)",
        "wanted",
    ),
    one(
        "a worker that slept does not notice",
        SQLITE,
        "test_sender.py test_deadline.py",
        "campaigns/delivery/deadline.py",
        "        return time.clock_gettime(_CLOCK) >= self._ends\n",
        "        return False\n",
    ),
    one(
        "a deadline runs on a clock that sleeps with the machine",
        SQLITE,
        "test_deadline.py",
        "campaigns/delivery/deadline.py",
        '_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)',
        "_CLOCK = time.CLOCK_MONOTONIC",
    ),
]
