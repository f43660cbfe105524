"""Random rounds: an instance at work, faults drawn by a seed one after the other, and the count.

The seed decides what is done and in which order; how far the processes have come by then is the
machine's affair. So a red round is told with all that was done, in order.
"""

import io
import json
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

from django.core.management import CommandError, call_command
from django.db import Error, transaction
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import decisions, launch
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_campaign, make_draft, make_single, make_workspace
from tests.torture import faults, points, reading, working
from tests.torture.checker import Expected, Verdict
from tests.torture.children import ENDED_WELL, Child
from tests.torture.instance import Instance
from tests.torture.stage import Stage
from tests.torture.web import Web

MINUTE = timedelta(minutes=1)
# Some hours before the clocks change in New York, and in Berlin; and a plain Monday.
STARTS = {
    "UTC": datetime(2027, 3, 1, 9, tzinfo=UTC),
    "America/New_York": datetime(2027, 3, 13, 20, tzinfo=UTC),
    "Europe/Berlin": datetime(2027, 10, 30, 21, tzinfo=UTC),
}
STEPS = 16


@dataclass
class Round:
    """What a fault may lay its hands on."""

    stage: Stage
    random: random.Random
    instance: Instance
    accounts: list[GmailAccount] = field(default_factory=list)
    campaigns: list[Campaign] = field(default_factory=list)
    people: set[tuple[int | None, str]] = field(default_factory=set)
    suppressed: set[str] = field(default_factory=set)
    # Of those, whose opt-out stood at which moment at the latest.
    opted_out: dict[str, datetime] = field(default_factory=dict)
    sent_again: set[str] = field(default_factory=set)
    clock_was_wrong: bool = False
    # Whether its people write with their phones too, and from when on they may do so again.
    written_by_hand: bool = False
    by_hand_at: datetime | None = None
    web: Web | None = None
    # What is launched in the web, while there is such a draft or may be, and whom it is for.
    draft: Campaign | None = None
    draft_people: set[tuple[int | None, str]] = field(default_factory=set)
    draft_posted: bool = False
    # Who holds a lock and lets go of it by itself.
    holders: list[Child] = field(default_factory=list)
    # What is still to be undone, and after how many further steps.
    to_undo: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    # What Gmail is still to do wrong, by what it is counted as.
    planted: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    # How often each fault has really struck.
    struck: Counter[str] = field(default_factory=Counter)
    said: list[str] = field(default_factory=list)
    # What no fault explains.
    unforeseen: list[str] = field(default_factory=list)

    def say(self, what: str) -> None:
        self.said.append(f"{self.stage.clock.true_now():%d %b %H:%M:%S}  {what}")

    def happens(self, fault: str, what: str) -> None:
        self.struck[fault] += 1
        self.say(what)

    def must_do(self, name: str, do: Callable[[], object]) -> bool:
        """In a process of its own, which no fault of the round may keep from it."""
        done = self.stage.child(name, do).wait() == ENDED_WELL
        if not done:
            self.say(f"{name} fails")
            self.unforeseen.append(f"{name} failed")
        return done

    def pick_campaign(self) -> int:
        return self.random.choice(self.campaigns).pk

    @property
    def may_fail(self) -> bool:
        """Whether somebody may have the database's lock, and sleep: then no page can be served."""
        holding = any(not holder.has_ended() for holder in self.holders)
        return holding or any(worker.is_stopped() for worker in self.instance.workers)

    def stop_everything(self) -> None:
        self.instance.end()
        if self.web is not None:
            self.web.kill()
        self.wait_for_holders()

    def start_everything(self) -> None:
        self.instance.start()
        if self.web is not None:
            self.web.start()

    def wait_for_holders(self) -> None:
        for holder in self.holders:
            holder.wait()

    def forget_what_was_not_launched(self) -> None:
        """In an older copy: whom the draft reached since, nobody can know any more."""
        draft = self.draft
        if draft is None or not self.draft_posted:
            return
        if Campaign.objects.filter(pk=draft.pk, state=Campaign.State.DRAFT).delete()[0]:
            self.say("the draft that was launched since is deleted")
            self.draft = None

    def plant(self, planted: list[tuple[str, dict[str, object]]]) -> None:
        """Let Gmail do this wrong from now on, and nothing else."""
        left = self.stage.gmail.control()["faults"]
        self.stage.gmail.control(faults=[fault for _, fault in planted])
        self._count_planted(left)
        self.planted = planted

    def _count_planted(self, left: list[dict[str, object]]) -> None:
        for kind, fault in self.planted:
            same = [each for each in left if each | {"times": 0} == fault | {"times": 0}]
            times_left = same[0]["times"] if same else 0
            if same:
                left.remove(same[0])
            self.struck[f"Gmail: {kind}"] += int(str(fault["times"])) - int(str(times_left))

    def count_strikes(self) -> None:
        """Of the faults that waited at a step."""
        for how, times in points.strikes().items():
            self.struck[f"worker at a step: {how}"] += times
            self.stage.kills += times if how in ("exit", "sigkill") else 0

    def confirm_clock(self) -> bool:
        """Whether an account was halted by it."""
        out = io.StringIO()
        with suppress(CommandError, Error):
            call_command("confirm_clock", "--json", stdout=out)
        return bool(out.getvalue() and json.loads(out.getvalue())["accounts"])

    def write_single(self, account: GmailAccount) -> None:
        """Unless a worker sleeps with the database's lock in its hand."""
        to = f"single{self.random.randint(0, 10**9)}@example.org"
        try:
            with transaction.atomic():
                single = make_single(account, to)
                header = f"Message-ID: {single.message_id}\r\n".encode()
                single.raw = header + bytes(single.raw or b"")
                single.save(update_fields=["raw"])
        except Error as error:
            self.say(f"a mail to {to} is not written: {error}")
            return
        self.people.add((None, to))
        self.happens("single mail written", f"a mail to {to} is written")

    def later(self, steps: int, undo: Callable[[], None]) -> None:
        self.to_undo.append((steps, undo))

    def as_person(self, name: str, do: Callable[[], object]) -> bool:
        """In a process of its own, which may be killed in the middle of it; whether it was done."""
        person = self.stage.child(name, do)
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0, 0.01))
            person.kill()
            self.stage.kills += 1
            self.say(f"a person {name}, and is killed meanwhile")
            return False
        done = person.wait() == ENDED_WELL
        self.say(f"a person {name}")
        return done


@dataclass(frozen=True)
class Told:
    """What was found, how often each fault struck, and what happened in order."""

    verdict: Verdict
    struck: Counter[str]
    said: list[str]


def run(stage: Stage, seed: int, number: int) -> Told:
    draw = random.Random(f"{seed}/{number}")
    zone = draw.choice(list(STARTS))
    stage.fresh(STARTS[zone])
    this = Round(stage, draw, Instance(stage, draw))
    _set_up(this, zone)
    try:
        verdict = _run(this)
    except Exception:  # noqa: BLE001  the other rounds can still tell something
        verdict = Verdict()
        verdict.note("disagreements", f"the round broke off:\n{traceback.format_exc()}")
    return Told(verdict, this.struck, this.said)


def _run(this: Round) -> Verdict:
    draw = this.random
    weights = faults.of_a_round(draw)
    points.strikes()
    try:
        this.start_everything()
        for _ in range(STEPS):
            _undo_what_is_over(this)
            faults.draw(draw, weights)(this)
            this.instance.let_work()
            _let_time_pass(this)
            this.count_strikes()
        # What a fault has begun, it also ends.
        while this.to_undo:
            _undo_what_is_over(this)
    finally:
        this.stop_everything()
    this.count_strikes()
    return _aftermath(this)


def _set_up(this: Round, zone: str) -> None:
    draw = this.random
    workspace = make_workspace(time_zone=zone)
    this.written_by_hand = draw.random() < 0.5
    reserve = faults.mail.MOST_BY_HAND if this.written_by_hand else 0
    for _ in range(draw.choice([1, 1, 2])):
        limit = draw.randint(4, 12) + reserve
        given = {"time_zone": zone, "reserve_by_hand": reserve}
        this.accounts.append(this.stage.account(workspace, limit, **given))
    for _ in range(draw.choice([1, 1, 2])):
        hours = _hours(draw)
        size = draw.randint(6, 18)
        campaign = make_campaign(workspace, this.accounts, recipients=size, **hours)
        this.campaigns.append(campaign)
        this.people |= {(campaign.pk, one.to_email) for one in campaign.messages.all()}
    if draw.random() < 0.5:
        this.write_single(this.accounts[0])
    if draw.random() < 0.4:
        this.web = Web(this.stage, workspace)
        this.draft = make_draft(workspace, this.accounts, recipients=draw.randint(3, 9))
        people = this.draft.lists.get().contacts.all()
        this.draft_people = {(this.draft.pk, contact.email) for contact in people}
    if zone != "UTC":
        this.struck["clocks change"] += 1
    limits = ", ".join(f"{one.address} {one.limit}" for one in this.accounts)
    this.say(f"{len(this.people)} people, {len(this.campaigns)} campaigns; limits: {limits}")


def _hours(draw: random.Random) -> dict[str, object]:
    """Most may leave at any time; the others have to find their hours through the change."""
    if draw.random() < 0.7:
        return {}
    return {"hours_from": clock_time(1), "hours_to": clock_time(4)}


def _undo_what_is_over(this: Round) -> None:
    waiting, this.to_undo = this.to_undo, []
    for steps, undo in waiting:
        if steps > 0:
            this.to_undo.append((steps - 1, undo))
        else:
            undo()


def _let_time_pass(this: Round) -> None:
    kind = this.random.choices(["none", "minutes", "hours"], [3, 4, 4])[0]
    if kind == "minutes":
        this.stage.advance(MINUTE * this.random.uniform(1, 12))
    elif kind == "hours" and not this.instance.somebody_sleeps:
        this.stage.advance(60 * MINUTE * this.random.uniform(2, 28))


def _aftermath(this: Round) -> Verdict:
    """The faults end, a person does what only a person can, and the rest must end by itself."""
    this.plant([])
    this.struck["write refused by a full disk"] += this.stage.disk.refused
    stage = this.stage
    stage.gmail.control(limit=100_000)
    stage.advance(20 * MINUTE)
    this.say("the faults end")
    _launch_draft(this)
    doubted = _once_more(this)
    for _ in range(2):
        if not _end_doubts(this):
            break
        doubted |= _once_more(this)
    # An opt-out may be gone with what came after an older copy.
    standing = reading.suppressed()
    expected = Expected(
        recipients=this.people,
        suppressed=this.suppressed,
        opted_out={who: at for who, at in this.opted_out.items() if who in standing},
        sent_again=this.sent_again,
        clock_was_wrong=this.clock_was_wrong,
    )
    verdict = stage.judge(expected, doubted)
    for problem in this.unforeseen:
        verdict.note("disagreements", problem)
    if verdict.red:
        this.say(f"in the end: {reading.as_it_stands()}")
    return verdict


def _launch_draft(this: Round) -> None:
    """Unless it was launched before, or is gone with an older copy."""
    if this.draft is None:
        return
    working.as_person()
    with suppress(launch.NotADraft):
        launch.launch(this.draft.pk, timezone.now())
    this.people |= this.draft_people


def _once_more(this: Round) -> set[int]:
    if this.stage.clock.is_wrong:
        # It is found out before a person can say anything to that.
        working.one_pass()
        this.confirm_clock()
    working.as_person()
    return working.until_calm(this.stage)


def _end_doubts(this: Round) -> int:
    """A person who knows what Gmail has lets the others go once more; returns how many."""
    there = {one.message_id for one in reading.accepted(this.stage.gmail, this.stage.in_use)}
    let_go = 0
    for message in Message.objects.filter(state=Message.State.IN_DOUBT):
        if message.message_id in there or this.random.random() < 0.5:
            continue
        try:
            decisions.send_again(message, None, timezone.now())
        except decisions.NotPossible as error:
            this.say(f"{message.to_email} may not be sent again: {error}")
            continue
        this.sent_again.add(message.to_email)
        this.say(f"a person sends {message.to_email} again")
        let_go += 1
    return let_go
