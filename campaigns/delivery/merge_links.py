"""What the merge fields come to that lead the recipient somewhere (`rendering.fields`)."""

from urllib.parse import quote

from django.conf import settings

from accounts.models import GmailAccount
from campaigns.delivery import leaving, public_pages
from campaigns.rendering import mime


def merge_links(message_id: int, account: GmailAccount) -> dict[str, object]:
    """The links of one message, by merge-field name; without a public address leaving is a mail,
    and there is nothing else to open."""
    if not settings.PUBLIC_URL:
        return _without_pages(leaving.opt_out_link(account.address, message_id))
    return {
        "unsubscribe_url": public_pages.leave(message_id),
        "preferences_url": public_pages.preferences(message_id),
        "view_url": public_pages.view(message_id),
    }


def shown_links(message_id: int, account: GmailAccount) -> dict[str, object]:
    """The same where the message is viewed in a browser: who was shown it cannot leave for the one
    whom it was written to, but ask by a mail of their own."""
    address = mime.in_ascii(account.address)
    by_mail = f"mailto:{quote(address, safe='@+')}?subject=unsubscribe"
    return {
        "unsubscribe_url": by_mail,
        "preferences_url": by_mail,
        "view_url": public_pages.view(message_id),
    }


def example_links() -> dict[str, object]:
    """The same for previews: of the same form, and leading to nobody's message."""
    if not settings.PUBLIC_URL:
        return _without_pages("mailto:you+example@example.com?subject=unsubscribe")
    return {
        "unsubscribe_url": f"{settings.PUBLIC_URL}/u/example",
        "preferences_url": f"{settings.PUBLIC_URL}/p/example",
        "view_url": f"{settings.PUBLIC_URL}/v/example",
    }


def _without_pages(by_mail: str) -> dict[str, object]:
    return {"unsubscribe_url": by_mail, "preferences_url": "", "view_url": ""}
