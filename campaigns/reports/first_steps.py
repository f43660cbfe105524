"""The way to the first campaign, and how much of it is done."""

from dataclasses import dataclass
from enum import StrEnum

from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns.models import Campaign, Contact, Template


class Step(StrEnum):
    CONNECT = "connect"
    IMPORT = "import"
    WRITE = "write"
    LAUNCH = "launch"


@dataclass(frozen=True)
class FirstStep:
    """`current`: the first that is not done."""

    step: Step
    done: bool
    current: bool


def first_steps(workspace: Workspace) -> list[FirstStep]:
    """Nothing for a workspace that has launched a campaign."""
    launched = Campaign.objects.exclude(state=Campaign.State.DRAFT)
    if visible(launched, workspace).exists():
        return []
    connected = GmailAccount.objects.exclude(state=GmailAccount.State.DISCONNECTED)
    done = {
        Step.CONNECT: visible(connected, workspace).exists(),
        Step.IMPORT: visible(Contact.objects.all(), workspace).exists(),
        Step.WRITE: visible(Template.objects.all(), workspace).exists(),
        Step.LAUNCH: False,
    }
    first = next(step for step, is_done in done.items() if not is_done)
    return [FirstStep(step, is_done, step == first) for step, is_done in done.items()]
