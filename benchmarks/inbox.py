"""Reading a mailbox of 50,000 mails for the first time, 200 of them ours, and reading it again.

    python -m benchmarks.inbox

Against a Dovecot of Debian's packages, as root. `limit` is a plain IMAP client that fetches the
same lines of the same headers and looks at none of them. From the environment: MAILS (50000), OURS
(200).
"""

import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import django
from django.core.management import call_command
from imapclient import IMAPClient

from benchmarks.figures import peak_mb, tell
from benchmarks.instance import Instance
from gmail.inbound_header import FIELDS
from tests.gmail.cast import endpoints_of
from tests.practice_gmail import PracticeGmail
from tests.system.dovecot import Dovecot, dovecot
from tests.system.large_mailbox import ALL_MAIL, answer, client, fill
from tests.system.packages import ensure
from tests.system.private_server import open_folder

MAILS = int(os.environ.get("MAILS", "50000"))
OURS = int(os.environ.get("OURS", "200"))
CLUB = "club@gmail.com"
BATCH = 200
DB = "postgres"


def main() -> None:
    ensure()
    with (
        tempfile.TemporaryDirectory(prefix="daypost-bench-") as folder,
        Instance(Path(folder), latency=0),
        PracticeGmail(Path(folder) / "gmail", accounts=[CLUB]) as gmail,
        open_folder("mail") as mail,
        dovecot(mail, gmail, [CLUB]) as server,
    ):
        _point_at(gmail, server)
        measure(gmail, server)


def _point_at(gmail: PracticeGmail, server: Dovecot) -> None:
    os.environ.update(gmail.env)
    os.environ["GMAIL_IMAP_PORT"] = str(server.imap_port)


def measure(gmail: PracticeGmail, server: Dovecot) -> None:
    password = gmail.app_password(CLUB)
    account, message_ids = _sent(password)
    answers = [answer(f"person{n}@x.example", each) for n, each in enumerate(message_ids)]
    endpoints = replace(endpoints_of(gmail), imap_port=server.imap_port)
    with client(endpoints, CLUB, password) as one:
        fill(one, MAILS - OURS, answers)
        one.select_folder(ALL_MAIL, readonly=True)
        limit = MAILS / _seconds(lambda: _fetch(one))
    seconds = _seconds(lambda: _read(account, MAILS, OURS))
    memory = peak_mb([os.getpid()])
    tell("inbox_first_read", MAILS / seconds, "mails/s", db=DB, limit=limit, peak_mb=memory)
    with client(endpoints, CLUB, password) as one:
        fill(one, 10, (), first=MAILS)
    tell("inbox_next_read", _seconds(lambda: _read(account, 10, 0)), "s", db=DB)


def _sent(password: str) -> tuple[int, list[str]]:
    """An account from which so many messages have left, and what they are called."""
    django.setup()
    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from accounts import connect
    from campaigns.models import Message
    from tests.campaigns.making import make_campaign, make_workspace

    account = connect.connect_by_app_password(make_workspace(), CLUB, password)
    campaign = make_campaign(account.workspace, [account], recipients=OURS)
    campaign.messages.update(
        state=Message.State.SENT, account=account, handed_over_at=timezone.now()
    )
    return account.pk, list(campaign.messages.values_list("message_id", flat=True))


def _read(account: int, looked_at: int, replies: int) -> None:
    from django.utils import timezone

    from campaigns.inbound import fetch

    heard = fetch.read(account, timezone.now())
    if heard is None or (heard.messages, heard.replies) != (looked_at, replies):
        raise RuntimeError(f"Of {looked_at} mails and {replies} answers it heard: {heard}.")


def _fetch(one: IMAPClient) -> None:
    """The same lines of every header, for nothing."""
    items = ["INTERNALDATE", f"BODY.PEEK[HEADER.FIELDS ({' '.join(FIELDS)})]"]
    uids = one.search()
    for start in range(0, len(uids), BATCH):
        one.fetch(uids[start : start + BATCH], items)


def _seconds(work: Callable[[], None]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


if __name__ == "__main__":
    main()
