"""Finds the copies of our mail in a folder: by Message-ID, also where Gmail replaced it."""

from collections.abc import Collection
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from email.utils import parseaddr

from gmail.imap import ImapSession


@dataclass(frozen=True)
class Copy:
    """What Gmail made of the mail that left as `message_id`.

    `sender`: the address in its From. `written_by`: the one that we wrote there, which Gmail keeps
    beside its own when it replaces it.
    """

    message_id: str
    keeps_message_id: bool
    sender: str
    written_by: str


def among(
    session: ImapSession, folder: str, wanted: Collection[str], newest: int
) -> dict[str, Copy]:
    """The copies in `folder` of what left with the Message-IDs `wanted`, by these.

    One whose Message-ID was replaced is found by no search: so many of the `newest` are looked
    through for those that were not found. Raises Temporary or SessionEnded.
    """
    uid_next = session.examine(folder).uid_next
    found: dict[str, Copy] = {}
    for message_id in wanted:
        found |= _read_all(session, session.find(message_id), {message_id})
    missing = set(wanted) - set(found)
    if missing and newest:
        uids = session.uids_after(max(uid_next - newest, 0))
        found |= _read_all(session, uids[-newest:], missing)
    return found


def read(header: bytes, wanted: Collection[str]) -> Copy | None:
    """The copy of one of `wanted` that has this header; None when it is another mail's."""
    fields = BytesHeaderParser().parsebytes(header)
    sender = address(fields["From"])
    written_by = address(fields["X-Google-Original-From"]) or sender
    message_id = str(fields["Message-ID"]).strip()
    original = str(fields["X-Google-Original-Message-ID"]).strip()
    if message_id in wanted:
        return Copy(message_id, True, sender, written_by)
    if original in wanted:
        return Copy(original, False, sender, written_by)
    return None


def address(field: object) -> str:
    """The address in a From; empty where there is none."""
    return parseaddr(str(field or ""))[1]


def _read_all(session: ImapSession, uids: list[int], wanted: Collection[str]) -> dict[str, Copy]:
    headers = session.headers(uids).values() if uids else ()
    copies = [copy for header in headers if (copy := read(header, wanted))]
    return {copy.message_id: copy for copy in copies}
