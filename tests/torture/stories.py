"""What the rounds do at random, once each in its plainest form: it strikes, and is survived."""

import io
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from accounts.models import Halt
from campaigns.models import Campaign, HistoryEntry, Message
from tests.campaigns.making import make_campaign, make_draft, make_workspace
from tests.mail_by_hand import write_by_hand
from tests.torture import checker, reading, working
from tests.torture.checker import Expected, Verdict
from tests.torture.children import ENDED_WELL
from tests.torture.disk import limit_files
from tests.torture.faults.clocks import A_DAY_AND_AN_HOUR
from tests.torture.stage import Stage
from tests.torture.web import Web

PEOPLE, LIMIT = 7, 3
# A launch that is through by then no time is.
LONGEST_SECONDS = 20
Story = Callable[["Plot"], None]


class Plot:
    """Seven people, an account that may send to three a day, and what is told of it."""

    def __init__(self, stage: Stage) -> None:
        stage.fresh()
        self.stage = stage
        self.clock_was_wrong = False
        self.went_otherwise: list[str] = []
        self.workspace = make_workspace()
        self.account = stage.account(self.workspace, LIMIT)
        self.people: set[tuple[int | None, str]] = set()

    def campaign(self) -> Campaign:
        campaign = make_campaign(self.workspace, [self.account], recipients=PEOPLE)
        self.people = {(campaign.pk, one.to_email) for one in campaign.messages.all()}
        return campaign

    def work(self, largest_file: int | None = None) -> None:
        """One pass of one worker, in a process of its own."""

        def work() -> None:
            working.hurry()
            self.stage.disk.install()
            if largest_file is not None:
                limit_files(0, largest_file)
            working.one_pass()

        self.stage.child("worker", work).wait()

    def goes(self, what: str, so: bool) -> None:
        if not so:
            self.went_otherwise.append(f"it was foreseen that {what}")

    @property
    def accepted(self) -> int:
        return len(reading.accepted(self.stage.gmail, self.stage.in_use))

    @property
    def halted(self) -> bool:
        return Halt.objects.filter(ended_at=None).exists()

    def judge(self) -> Verdict:
        working.as_person()
        doubted = working.until_calm(self.stage)
        expected = Expected(self.people, clock_was_wrong=self.clock_was_wrong)
        verdict = self.stage.judge(expected, doubted)
        for what in self.went_otherwise:
            verdict.note("disagreements", what)
        return verdict


def run(stage: Stage, names: Iterable[str]) -> Iterator[tuple[str, Verdict]]:
    for name in names:
        plot = Plot(stage)
        STORIES[name](plot)
        yield name, plot.judge()


def _clock_is_set(plot: Plot, by: timedelta) -> None:
    plot.campaign()
    plot.work()
    plot.stage.clock.go_wrong_by(by)
    plot.clock_was_wrong = True
    plot.work()
    plot.goes("nothing leaves by a wrong clock", plot.accepted == LIMIT and plot.halted)


def clock_ahead_and_right_again(plot: Plot) -> None:
    _clock_is_set(plot, A_DAY_AND_AN_HOUR)
    plot.stage.clock.go_wrong_by(timedelta())


def clock_behind_and_right_again(plot: Plot) -> None:
    _clock_is_set(plot, -A_DAY_AND_AN_HOUR)
    plot.stage.clock.go_wrong_by(timedelta())


def clock_ahead_and_confirmed(plot: Plot) -> None:
    _clock_is_set(plot, A_DAY_AND_AN_HOUR)
    _confirmed(plot)


def clock_behind_and_confirmed(plot: Plot) -> None:
    _clock_is_set(plot, -A_DAY_AND_AN_HOUR)
    _confirmed(plot)


def _confirmed(plot: Plot) -> None:
    call_command("confirm_clock", stdout=io.StringIO())
    plot.work()
    plot.goes("the window stays as full as it was", plot.accepted == LIMIT and not plot.halted)


def backup_restored(plot: Plot) -> None:
    plot.campaign()
    backup = str(Path(settings.DATA_DIR, "backup"))
    call_command("backup", backup, stdout=io.StringIO())
    plot.work()
    plot.stage.advance(timedelta(hours=30))
    plot.work()
    restore = lambda: call_command("restore", backup, "--yes", stdout=io.StringIO())  # noqa: E731
    plot.goes("it is restored", plot.stage.child("restore", restore).wait() == ENDED_WELL)
    _has_gone_back(plot)


def older_copy_put_back(plot: Plot) -> None:
    plot.campaign()
    copy = plot.stage.databases.keep_copy()
    plot.work()
    plot.stage.advance(timedelta(hours=30))
    plot.work()
    plot.stage.databases.put_back(copy)
    _has_gone_back(plot)


def _has_gone_back(plot: Plot) -> None:
    waiting = Message.objects.filter(state="waiting").count()
    plot.goes("all wait again", waiting == PEOPLE)
    plot.work()
    plot.goes("nothing leaves a second time", plot.accepted == 2 * LIMIT and plot.halted)
    working.until_calm(plot.stage)
    found = HistoryEntry.objects.filter(kind="found").count()
    plot.goes("what left is found in Sent", found == 2 * LIMIT)


def mail_by_hand(plot: Plot) -> None:
    plot.campaign()
    write_by_hand(plot.stage.gmail, plot.account.address, ["a@example.org", "b@example.org"])
    # Sent was read a moment before.
    plot.stage.advance(checker.READ_BY_HAND_EVERY)
    plot.work()
    plot.goes("both are counted", plot.accepted == 1 + LIMIT - 2)


def files_that_cannot_grow(plot: Plot) -> None:
    plot.campaign()
    plot.work(largest_file=0)
    plot.goes("nothing leaves that cannot be written down", plot.accepted == 0)


def connected_again(plot: Plot) -> None:
    plot.campaign()
    fault = {"where": "auth", "reply": "535 5.7.8 Username and Password not accepted"}
    plot.stage.gmail.control(faults=[fault])
    plot.work()
    plot.account.refresh_from_db(fields=["state"])
    plot.goes(
        "it must be connected again", plot.account.state == plot.account.State.NEEDS_RECONNECTING
    )


def web_killed_at_launch(plot: Plot) -> None:
    """At moments ever later, until a launch is through before it is killed."""
    web = Web(plot.stage, plot.workspace)
    draft = make_draft(plot.workspace, [plot.account], recipients=PEOPLE)
    plot.people = {(draft.pk, contact.email) for contact in draft.lists.get().contacts.all()}
    broken, wait = 0, 0.0
    while (
        Campaign.objects.get(pk=draft.pk).state == Campaign.State.DRAFT and wait < LONGEST_SECONDS
    ):
        web.start()
        asked = web.ask("launch", draft.pk, "POST")
        time.sleep(wait)
        web.kill()
        broken += not asked.status()
        messages = Message.objects.filter(campaign=draft).count()
        launched = Campaign.objects.get(pk=draft.pk).state != Campaign.State.DRAFT
        plot.goes("it is launched whole or not at all", messages == (PEOPLE if launched else 0))
        wait = 2 * wait + 0.01
    plot.goes("a launch is broken off", broken > 0)
    web.start()
    plot.goes("a second launch is told", web.ask("launch", draft.pk, "POST").status() == 302)
    web.kill()


STORIES: dict[str, Story] = {
    story.__name__.replace("_", " "): story
    for story in (
        clock_ahead_and_right_again,
        clock_behind_and_right_again,
        clock_ahead_and_confirmed,
        clock_behind_and_confirmed,
        backup_restored,
        older_copy_put_back,
        mail_by_hand,
        files_that_cannot_grow,
        connected_again,
        web_killed_at_launch,
    )
}
SOME = ("clock ahead and right again", "backup restored", "web killed at launch")
