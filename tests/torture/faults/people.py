"""People: what they do to campaigns while all else fails, and the web process that serves them."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from campaigns import control
from campaigns.models import Suppression
from tests.torture.faults.drawing import weight

if TYPE_CHECKING:
    from tests.torture.rounds import Round

# Within that a page is served, and a campaign launched.
SERVED_SECONDS = 0.15


@weight(2, "paused or resumed")
def pause_and_resume(this: "Round") -> None:
    _act(this, this.random.choice([control.pause, control.resume]), this.pick_campaign())


@weight(0.3, "cancelled")
def cancel(this: "Round") -> None:
    _act(this, control.cancel, this.pick_campaign())


def _act(this: "Round", move: Callable[[int], object], campaign: int) -> None:
    def act() -> None:
        with suppress(control.NotPossible):
            move(campaign)

    name = move.__name__
    this.struck["cancelled" if move is control.cancel else "paused or resumed"] += 1
    if this.web is None:
        this.as_person(f"{name}s campaign {campaign}", act)
    else:
        _ask(this, name, campaign, "POST")


@weight(2, "web killed", "web killed while it served", "launched in the web")
def launch_in_the_web(this: "Round") -> None:
    """Also a second and a third time: a person whose page never came presses it again."""
    if this.web is None:
        return
    if this.draft is not None:
        this.draft_posted = True
        this.struck["launched in the web"] += 1
        _ask(this, "launch", this.draft.pk, "POST")
    else:
        _ask(this, "page", this.pick_campaign())


def _ask(this: "Round", page: str, campaign: int, method: str = "GET") -> None:
    assert this.web is not None
    asked = this.web.ask(page, campaign, method)
    what = f"{method} {page} of campaign {campaign}"
    if this.random.random() < 0.5:
        status = asked.status()
        this.say(f"{what} is answered {status}")
        if status == 404 or (status >= 500 and not this.may_fail):
            this.unforeseen.append(f"{what} was answered {status}")
        return
    time.sleep(this.random.uniform(0, SERVED_SECONDS))
    how = this.random.choice([this.web.kill, this.web.kill_a_worker])
    how()
    served = asked.status()
    this.happens("web killed", f"{what}; web is killed meanwhile, the answer is {served or 'none'}")
    this.struck["web killed while it served"] += not served
    if how == this.web.kill:
        this.web.start()


@weight(1, "opted out")
def opt_out(this: "Round") -> None:
    workspace = this.accounts[0].workspace_id
    _, address = this.random.choice(sorted(this.people, key=str))
    this.suppressed.add(address)

    def act() -> None:
        Suppression.objects.get_or_create(workspace_id=workspace, email_key=address)

    this.struck["opted out"] += 1
    if this.as_person(f"opts {address} out", act):
        this.opted_out[address] = this.stage.clock.true_now()


@weight(1, "single mail written")
def single_mail(this: "Round") -> None:
    account = this.random.choice(this.accounts)
    this.write_single(account)
