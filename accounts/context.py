"""What every page needs to know beyond its own subject."""

from django.http import HttpRequest

from accounts.endpoints import practice_mailbox
from accounts.models import GmailAccount
from accounts.redirect_address import redirect_address
from accounts.tenancy import current_workspace, visible


def practice_banner(request: HttpRequest) -> dict[str, object]:
    """`practice_accounts`: connected practice mailboxes, named in a banner on every screen.
    `practice_pages`: where a browser that reaches them sees their mail, or empty.

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
        ),
        "practice_pages": lambda: (
            practice_mailbox() if redirect_address(request).browser_is_here else ""
        ),
    }
