"""Each fault point by name: strike there, start again, run until calm, check."""

from datetime import timedelta

from tests.campaigns.making import make_campaign, make_workspace
from tests.torture import points, working
from tests.torture.checker import Expected, Verdict
from tests.torture.children import ENDED_WELL, FAILED, Child
from tests.torture.points import Point
from tests.torture.stage import Stage

PEOPLE = 4
# Past the claim, the wait for Gmail's answer and the account's lease; well within the life of a
# session with Gmail, after which a message of unknown fate counts.
PAST_EVERY_LEASE = timedelta(minutes=20)

# One of each kind, quick enough for every run of the suite.
SOME = [
    ("before the claim's commit", "sigkill"),
    ("after the claim's commit", "sigkill"),
    ("before DATA", "exit"),
    ("in the body", "sigkill"),
    ("before handing over's commit", "exit"),
    ("after handing over's commit", "sigkill"),
    ("before the dot", "stop"),
    ("after the dot", "sigkill"),
    ("after 250", "exit"),
    ("before it is noted as sent", "database"),
    ("after it is noted as sent", "sigkill"),
    ("before the commit of taking back what was left after the dot", "sigkill"),
]
EVERYTHING = [(point.name, how) for point in points.POINTS for how in point.hows]


def run(stage: Stage, name: str, how: str) -> Verdict:
    point = points.BY_NAME[name]
    people = four_people(stage)
    if point.left:
        _strike(stage, points.BY_NAME[point.left], "sigkill")
        stage.advance(PAST_EVERY_LEASE)
    if point.answer:
        stage.gmail.control(faults=[{**dict(point.answer), "to": sorted(people)[2][1]}])
    points.was_reached()
    sleeper = _strike(stage, point, how)
    reached = points.was_reached()
    if sleeper is not None:
        stage.advance(PAST_EVERY_LEASE)
        _whole_pass(stage)
        sleeper.wake()
        sleeper.wait()
    doubted = working.until_calm(stage)
    verdict = stage.judge(Expected(people), doubted)
    if not reached:
        verdict.note("disagreements", "the point was never reached")
    if how in points.DIES:
        compare(verdict, point.doubt, doubted)
    return verdict


def four_people(stage: Stage) -> set[tuple[int | None, str]]:
    """An empty instance with one campaign to four people; who they are."""
    stage.fresh()
    workspace = make_workspace()
    account = stage.account(workspace, limit=500)
    campaign = make_campaign(workspace, [account], recipients=PEOPLE)
    return {(campaign.pk, one.to_email) for one in campaign.messages.all()}


def compare(verdict: Verdict, doubt: bool, doubted: set[int]) -> None:
    """Whether somebody came into doubt must be as it was foreseen."""
    if bool(doubted) != doubt:
        wanted = "one in doubt" if doubt else "nobody in doubt"
        verdict.note("disagreements", f"{wanted} was foreseen, {len(doubted)} were")


def _strike(stage: Stage, point: Point, how: str) -> Child | None:
    """Let a worker run into the fault; the worker itself when it lies still there."""

    def work() -> None:
        working.hurry()
        points.arm(point, how)
        working.one_pass()

    worker = stage.child(f"worker with {how} {point.name}", work)
    worker.wait_until(lambda: worker.has_ended() or worker.is_stopped())
    if not worker.has_ended():
        return worker
    stage.kills += worker.wait() not in (ENDED_WELL, FAILED)
    return None


def _whole_pass(stage: Stage) -> None:
    def work() -> None:
        working.hurry()
        working.one_pass()

    stage.child("another worker", work).wait()
