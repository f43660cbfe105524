"""Mail that a person writes with another program, through the practice Gmail."""

import secrets
from collections.abc import Sequence

from tests.practice.clients import logged_in
from tests.practice_gmail import PracticeGmail


def write_by_hand(
    gmail: PracticeGmail,
    account: str,
    to: Sequence[str] = ("friend@example.org",),
    *,
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
    message_id: str = "",
) -> None:
    """One mail to all of them. Its copy shows Bcc, as that of Gmail's own pages does."""
    header = [
        f"From: {account}",
        *(
            f"{name}: {', '.join(some)}"
            for name, some in (("To", to), ("Cc", cc), ("Bcc", bcc))
            if some
        ),
        f"Message-ID: {message_id or f'<{secrets.token_hex(8)}@phone.example>'}",
    ]
    recipients = [*dict.fromkeys([*to, *cc, *bcc])]
    content = "\r\n".join([*header, "", "By hand."]) + "\r\n"
    with logged_in(gmail, account) as client:
        client.sendmail(account, recipients, content.encode())
