"""What every page needs to know beyond its own subject."""

from django.http import HttpRequest

from accounts.models import GmailAccount
from accounts.tenancy import current_workspace, visible


def practice_banner(request: HttpRequest) -> dict[str, object]:
    """`practice_accounts`: connected practice mailboxes, named in a banner on every screen.

    Evaluated only by pages that show it.
    """
    if not hasattr(request, "user"):
        return {}
    workspace = current_workspace(request)
    if workspace is None:
        return {}
    return {
        "practice_accounts": visible(GmailAccount.objects.filter(practice=True), workspace).exclude(
            state=GmailAccount.State.DISCONNECTED
        )
    }
