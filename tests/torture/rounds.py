"""Random rounds: an instance at work, faults drawn by a seed one after the other, and the count.

The seed decides what is done and in which order; how far the processes have come by then is the
machine's affair. So a red round is told with all that was done, in order.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time

from django.utils import timezone

from accounts.models import GmailAccount
from campaigns import decisions
from campaigns.models import Campaign, Message
from tests.campaigns.making import make_campaign, make_single, make_workspace
from tests.torture import faults, reading, working
from tests.torture.checker import Expected, Verdict
from tests.torture.instance import Instance
from tests.torture.stage import Stage

MINUTE = timedelta(minutes=1)
# Some hours before the clocks change in New York, and in Berlin; and a plain Monday.
STARTS = {
    "UTC": datetime(2027, 3, 1, 9, tzinfo=UTC),
    "America/New_York": datetime(2027, 3, 13, 20, tzinfo=UTC),
    "Europe/Berlin": datetime(2027, 10, 30, 21, tzinfo=UTC),
}
STEPS = 16
STEP_SECONDS = 0.06


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
    sent_again: set[str] = field(default_factory=set)
    clock_was_wrong: bool = False
    # What is still to be undone, and after how many further steps.
    to_undo: list[tuple[int, Callable[[], None]]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def say(self, what: str) -> None:
        self.said.append(f"{self.stage.clock.true_now():%d %b %H:%M:%S}  {what}")

    def write_single(self, account: GmailAccount) -> None:
        to = f"single{self.random.randint(0, 10**9)}@example.org"
        single = make_single(account, to)
        single.raw = f"Message-ID: {single.message_id}\r\n".encode() + bytes(single.raw or b"")
        single.save(update_fields=["raw"])
        self.people.add((None, to))
        self.say(f"a mail to {to} is written")

    def later(self, steps: int, undo: Callable[[], None]) -> None:
        self.to_undo.append((steps, undo))

    def as_person(self, name: str, do: Callable[[], object]) -> None:
        """In a web process, which may be killed in the middle of it."""
        web = self.stage.child(f"web: {name}", do)
        if self.random.random() < 0.3:
            time.sleep(self.random.uniform(0, 0.01))
            web.kill()
            self.stage.kills += 1
            self.say(f"a person {name}; web is killed meanwhile")
        else:
            web.wait()
            self.say(f"a person {name}")


def run(stage: Stage, seed: int, number: int) -> tuple[Verdict, list[str]]:
    """One round; what was found, and what happened in order."""
    draw = random.Random(f"{seed}/{number}")
    zone = draw.choice(list(STARTS))
    stage.fresh(STARTS[zone])
    this = Round(stage, draw, Instance(stage, draw))
    _set_up(this, zone)
    try:
        this.instance.start()
        for _ in range(STEPS):
            _undo_what_is_over(this)
            fault = faults.draw(draw)
            fault(this)
            time.sleep(STEP_SECONDS)
            _let_time_pass(this)
    finally:
        this.instance.end()
    return _aftermath(this), this.said


def _set_up(this: Round, zone: str) -> None:
    draw = this.random
    workspace = make_workspace(time_zone=zone)
    for _ in range(draw.choice([1, 1, 2])):
        account = this.stage.account(workspace, limit=draw.randint(4, 12), time_zone=zone)
        this.accounts.append(account)
    for _ in range(draw.choice([1, 1, 2])):
        hours = _hours(draw)
        size = draw.randint(6, 18)
        campaign = make_campaign(workspace, this.accounts, recipients=size, **hours)
        this.campaigns.append(campaign)
        this.people |= {(campaign.pk, one.to_email) for one in campaign.messages.all()}
    if draw.random() < 0.5:
        this.write_single(this.accounts[0])
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
    kind = this.random.choices(["none", "minutes", "hours"], [5, 4, 2])[0]
    if kind == "minutes":
        this.stage.advance(MINUTE * this.random.uniform(1, 12))
    elif kind == "hours" and not this.instance.somebody_sleeps:
        this.stage.advance(60 * MINUTE * this.random.uniform(1, 20))


def _aftermath(this: Round) -> Verdict:
    """The faults end, a person does what only a person can, and the rest must end by itself."""
    for _, undo in this.to_undo:
        undo()
    stage = this.stage
    stage.clock.go_wrong_by(timedelta())
    stage.gmail.control(faults=[], limit=100_000)
    stage.advance(20 * MINUTE)
    this.say("the faults end")
    doubted = _once_more(this)
    for _ in range(2):
        if not _end_doubts(this):
            break
        doubted |= _once_more(this)
    expected = Expected(this.people, this.suppressed, this.sent_again, this.clock_was_wrong)
    return stage.judge(expected, doubted)


def _once_more(this: Round) -> set[int]:
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
