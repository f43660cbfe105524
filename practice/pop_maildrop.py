"""What one POP session sees of an account, and what it does to it when it ends well."""

from datetime import timedelta

from practice.accounts import Account
from practice.folders import ALL, Condition
from practice.service import Service

SHOWN_AS_RECENT = timedelta(days=30)
NOT_FETCHED = Condition("NOT m.fetched_by_pop")


class Maildrop:
    """Messages under numbers from 1, oldest first; they stay as they were at the login."""

    def __init__(self, service: Service, owner: Account, *, recent: bool) -> None:
        self._service = service
        self._owner = owner
        self._recent = recent
        self._fetched: set[int] = set()
        self._deleted: set[int] = set()
        since = (service.clock.now() - SHOWN_AS_RECENT).timestamp()
        shown = Condition("m.received >= ?", (int(since),)) if recent else NOT_FETCHED
        folder = service.folders.folder(owner.email, ALL)
        uids = service.folders.find(folder, shown)
        self._messages = list(service.folders.read(folder, uids))

    def numbers(self) -> list[int]:
        """The numbers that are not marked for deletion."""
        every = range(1, len(self._messages) + 1)
        return [number for number in every if number not in self._deleted]

    def size(self, number: int) -> int:
        return self._messages[number - 1].size

    def uidl(self, number: int) -> str:
        """The same for ever, whatever else comes and goes."""
        return f"GmailId{self._messages[number - 1].gmail_id:x}"

    def content(self, number: int) -> bytes:
        """The message with its bytes as they came."""
        return self._service.mailbox.source_or_nothing(self._messages[number - 1].file)

    def note_fetched(self, number: int) -> None:
        self._fetched.add(number)

    def delete(self, number: int) -> None:
        self._deleted.add(number)

    def undelete(self) -> None:
        self._deleted.clear()

    def commit(self) -> None:
        """Hide from later sessions what was fetched, and move to Trash what was deleted."""
        folders = self._service.folders
        with folders.transaction():
            if not self._recent:
                folders.note_fetched_by_pop(self._messages[each - 1].id for each in self._fetched)
            for number in self._deleted:
                folders.trash(self._messages[number - 1].id, self._owner.email)
