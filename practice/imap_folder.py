# mypy: allow-untyped-calls
"""One account's folders and a selected one, as Twisted's IMAP server wants to see them."""

from collections.abc import Iterator
from functools import partial

from twisted.mail.imap4 import wildcardToRegexp

from practice.accounts import Account
from practice.folders import ALL, INBOX, ROLES, SENT, Condition, Filed, Folder, Role
from practice.imap_fetch import Shown
from practice.imap_numbers import Numbers
from practice.service import Service

DELIMITER = "/"
PARENT = "[Gmail]"
FLAGS = ("\\Answered", "\\Flagged", "\\Draft", "\\Deleted", "\\Seen", "$NotPhishing", "$Phishing")


class ListedFolder:
    """A line of LIST."""

    def __init__(self, *attributes: str) -> None:
        self._attributes = attributes

    def getFlags(self) -> tuple[str, ...]:
        return self._attributes

    def getHierarchicalDelimiter(self) -> str:
        return DELIMITER


class AccountFolders:
    """The folders that an account shows in IMAP."""

    def __init__(self, service: Service, owner: Account) -> None:
        self._service = service
        self._owner = owner

    def listMailboxes(self, reference: str, wildcard: str) -> list[tuple[str, ListedFolder]]:
        """Gmail tells the special use of a folder in plain LIST."""
        if not reference + wildcard:
            return [("", ListedFolder("\\Noselect"))]
        fits = wildcardToRegexp(reference + wildcard, DELIMITER)
        listed = [("INBOX", ListedFolder("\\HasNoChildren"))]
        listed.append((PARENT, ListedFolder("\\HasChildren", "\\Noselect")))
        for role in self._shown():
            if role is not INBOX:
                folder = ListedFolder("\\HasNoChildren", role.attribute)
                listed.append((self._name(role), folder))
        return [(name, folder) for name, folder in listed if fits.match(name)]

    def isSubscribed(self, name: str) -> bool:
        return True

    def select(self, name: str, writeable: bool = True) -> "OpenFolder | None":
        """None for a folder that does not exist or is hidden."""
        for role in self._shown():
            if name == self._name(role) or (role is INBOX and name.upper() == "INBOX"):
                folder = self._service.folders.folder(self._owner.email, role)
                return OpenFolder(self._service, folder, writeable=bool(writeable))
        return None

    def exists(self, name: str) -> bool:
        return name == PARENT or self.select(name) is not None

    def _shown(self) -> list[Role]:
        hidden = self._service.settings.of(self._owner.email).hide
        return [role for role in ROLES.values() if role.key not in hidden]

    def _name(self, role: Role) -> str:
        return self._service.sent_name if role is SENT else role.name


class OpenFolder:
    """A folder as one session sees it: its numbers stay the same until the session is told."""

    def __init__(self, service: Service, folder: Folder, *, writeable: bool) -> None:
        self._service = service
        self._folders = service.folders
        self.folder = folder
        self.writeable = writeable
        self.uids = self._folders.uids(folder)
        self._places = {uid: place for place, uid in enumerate(self.uids, start=1)}

    def isWriteable(self) -> bool:
        return self.writeable

    def addListener(self, listener: object) -> None:
        """Twisted's way to hear of new mail; ``Session`` has its own."""

    def removeListener(self, listener: object) -> None:
        pass

    def uid_next(self) -> int:
        return self._folders.folder(self.folder.account, self.folder.role).uid_next

    def first_unseen(self) -> int | None:
        """The number of the first message that is unread."""
        unseen = self._folders.find(self.folder, UNSEEN)
        return self._places.get(unseen[0]) if unseen else None

    def grow(self) -> bool:
        """Take in what has come since; whether anything has."""
        new = self._folders.uids(self.folder, after=self.uids[-1] if self.uids else 0)
        for uid in new:
            self.uids.append(uid)
            self._places[uid] = len(self.uids)
        return bool(new)

    def status(self, names: list[str]) -> dict[str, int]:
        """RFC 3501 section 6.3.10. Raises KeyError for a name that is not there."""
        values = {
            "MESSAGES": lambda: len(self.uids),
            "RECENT": lambda: 0,
            "UIDNEXT": self.uid_next,
            "UIDVALIDITY": lambda: self.folder.uid_validity,
            "UNSEEN": lambda: self._folders.count(self.folder, UNSEEN),
        }
        return {name: values[name]() for name in names}

    def fetch(self, numbers: Numbers, uid: int) -> Iterator[tuple[int, Shown]]:
        """The messages with their numbers, read from the disk as they are asked for."""
        for filed in self._folders.read(self.folder, numbers.uids(self.uids, by_uid=bool(uid))):
            yield self._places[filed.uid], self.show(filed)

    def show(self, filed: Filed) -> Shown:
        return Shown(
            filed,
            partial(self._service.mailbox.source_or_nothing, filed.file),
            partial(self._labels, filed),
        )

    def search(self, condition: Condition) -> list[int]:
        """UIDs; what this session was not told of yet is left out."""
        return [uid for uid in self._folders.find(self.folder, condition) if uid in self._places]

    def number(self, uid: int) -> int:
        return self._places[uid]

    def resolve(self, text: str, by_uid: bool) -> list[int]:
        """The UIDs that a set of numbers in a search names. Raises NumbersRefused."""
        return Numbers(text).uids(self.uids, by_uid=by_uid)

    def store(
        self, numbers: Numbers, flags: list[str], mode: int, uid: int
    ) -> dict[int, tuple[str, ...]]:
        """Set flags (``mode`` 0), add (1) or remove (-1) them; the flags then, by number."""
        known = {flag.lower(): flag for flag in FLAGS}
        given = {known[flag.lower()] for flag in flags if flag.lower() in known}
        changed = {}
        for filed in list(
            self._folders.read(self.folder, numbers.uids(self.uids, by_uid=bool(uid)))
        ):
            before = set(filed.flags)
            after = given if mode == 0 else before | given if mode > 0 else before - given
            self._folders.set_flags(self.folder, filed, after)
            changed[self._places[filed.uid]] = tuple(sorted(after))
        return changed

    def mark_as_read(self, filed: Filed) -> Shown:
        """The message as it is when its text has been shown."""
        self._folders.set_flags(self.folder, filed, {*filed.flags, "\\Seen"})
        return self.show(next(self._folders.read(self.folder, [filed.uid])))

    def getUID(self, number: int) -> int:
        return self.uids[number - 1]

    def expunge(self) -> list[int]:
        """The numbers that go, each as it is once those before it have gone."""
        deleted = set(self._folders.find(self.folder, Condition("p.deleted")))
        self._folders.expunge(self.folder, sorted(deleted))
        left = set(self._folders.find(self.folder, Condition("p.deleted")))
        gone = [uid for uid in self.uids if uid in deleted - left]
        numbers = [self._places[uid] - place for place, uid in enumerate(gone)]
        self.uids = [uid for uid in self.uids if uid not in set(gone)]
        self._places = {uid: place for place, uid in enumerate(self.uids, start=1)}
        return numbers

    def copy_to(self, numbers: Numbers, target: "OpenFolder", *, by_uid: bool) -> None:
        """Another label for each; to Trash and Spam a message moves."""
        for filed in list(self._folders.read(self.folder, numbers.uids(self.uids, by_uid=by_uid))):
            if target.folder.role.key in ("trash", "junk"):
                self._folders.take(filed.id, filed.account, *ROLES.values())
                self._folders.put(filed.id, filed.account, target.folder.role)
            else:
                self._folders.put(filed.id, filed.account, target.folder.role, ALL)

    def _labels(self, filed: Filed) -> list[Role]:
        """Of the folder that is selected Gmail does not name the label."""
        return [role for role in self._folders.labels(filed.id) if role is not self.folder.role]


UNSEEN = Condition("NOT instr(m.flags, ?)", ("\\Seen",))
