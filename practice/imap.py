# mypy: allow-untyped-calls
"""IMAP as imap.gmail.com speaks it (RFC 3501), on Twisted's server.

Twisted reads commands and literals and knows the states. Ours is what Gmail says otherwise, and
what Twisted leaves out: UIDNEXT, partial texts, \\Seen, searching by the index.
"""

import binascii
import re
from functools import partial
from io import BytesIO
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.mail.imap4 import IllegalClientResponse, IMAP4Server
from twisted.protocols.basic import FileSender
from twisted.python.failure import Failure

from practice.accounts import Account
from practice.imap_fetch import FetchRefused, Item, Shown, answer, parse_items
from practice.imap_folder import FLAGS, AccountFolders, OpenFolder
from practice.imap_login import COMMANDS as LOGIN_COMMANDS
from practice.imap_login import Login
from practice.imap_numbers import Numbers, NumbersRefused
from practice.imap_search import SearchRefused, parse_search, quoted
from practice.incoming import SIZE_LIMIT
from practice.service import Service
from practice.steps import GRACE, Reactor

STEPS = {
    b"LIST": "list",
    b"LSUB": "list",
    b"SELECT": "select",
    b"EXAMINE": "select",
    b"SEARCH": "search",
    b"FETCH": "fetch",
}
LONGEST_LINE = 65_536
LONGEST_LITERAL = 65_536
STORE_MODE = re.compile(rb"[+-]?FLAGS(?:\.SILENT)?\Z", re.IGNORECASE)

log = Logger()


class Session(Login):
    """One client of IMAP."""

    MAX_LENGTH = LONGEST_LINE
    _literalStringLimit = LONGEST_LITERAL

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        super().__init__(service, reactor, idle_timeout)
        # Twisted's names: the account, and the folder that is selected.
        self.account: Any = None
        self.mbox: Any = None
        self._cut_next = False
        self._over = False
        self._sending = False

    # Commands, and the faults that strike at them

    def lineReceived(self, line: bytes) -> None:
        if not self.closing:
            self.service.post.deliver()
            self.look_at_the_clock()
        if not self.closing:
            super().lineReceived(line)

    def lineLengthExceeded(self, line: bytes) -> None:
        self.sendBadResponse(None, b"Command line too long")
        self.close()

    def commands(self) -> dict[tuple[str, bytes], tuple[Any, ...]]:
        return COMMANDS

    def parse_command(self, line: bytes) -> None:
        """Gmail knows only ASCII outside of literals."""
        if not line.isascii() or b"\0" in line:
            self.sendBadResponse(None, b"Could not parse command")
            return
        words = line.upper().split(None, 3)
        command = words[2:3] if words[1:2] == [b"UID"] else words[1:2]
        where = STEPS.get(command[0]) if command else None
        carry_on = partial(super().parse_command, line)
        if where is None or self.owner is None:
            carry_on()
        else:
            self._tag = line.split(None, 1)[0]
            self.step(where, carry_on)

    def dispatchCommand(
        self, tag: bytes, cmd: bytes, rest: bytes | None, uid: int | None = None
    ) -> None:
        # What has come in is told before the answer, never within it.
        self._tell_of_new_mail()
        super().dispatchCommand(tag, cmd, rest or b"", uid)

    def drop(self, fault: Any, carry_on: Any) -> None:
        if fault.where == "fetch":
            self._cut_next = True
            carry_on()
        else:
            self.cut()

    def timeoutConnection(self) -> None:
        if self._over:
            self.cut()
        else:
            super().timeoutConnection()

    def mail_came(self, account: str) -> None:
        if self.owner is not None and self.owner.email == account and not self._sending:
            self._tell_of_new_mail()

    def end(self) -> None:
        """At once, or behind the message that is being sent."""
        if self._sending:
            self._over = True
            self.setTimeout(GRACE)
        else:
            super().end()

    def _tell_of_new_mail(self) -> None:
        if self.mbox is not None and self.blocked is None and self.mbox.grow():
            self.sendUntaggedResponse(b"%d EXISTS" % len(self.mbox.uids))

    # Literals

    def _stringLiteral(self, size: int) -> Any:
        if size < 0:
            raise IllegalClientResponse("Bad literal size")
        return super()._stringLiteral(size)

    def _fileLiteral(self, size: int) -> Any:
        if not 0 <= size <= SIZE_LIMIT:
            raise IllegalClientResponse("Literal too long")
        return super()._fileLiteral(size)

    # Folders

    def arg_mailbox(self, line: bytes) -> Deferred[Any]:
        """The name of a folder, in modified UTF-7 (RFC 3501 section 5.1.3)."""
        given: Deferred[Any] = maybeDeferred(self.arg_astring, line, final=True)
        return given.addCallback(_decoded_name)

    def do_NAMESPACE(self, tag: bytes) -> None:
        self.sendUntaggedResponse(b'NAMESPACE (("" "/")) NIL NIL')
        self.sendPositiveResponse(tag, b"Success")

    def _cbSelectWork(self, mbox: OpenFolder | None, cmdName: bytes, tag: bytes) -> None:
        if mbox is None:
            self.sendNegativeResponse(tag, b"[NONEXISTENT] Unknown Mailbox (Failure)")
            return
        flags = " ".join(FLAGS).encode()
        permanent = flags + b" \\*" if mbox.writeable else b""
        unseen = mbox.first_unseen()
        self.sendUntaggedResponse(b"FLAGS (" + flags + b")")
        self.sendPositiveResponse(None, b"[PERMANENTFLAGS (" + permanent + b")] Flags permitted.")
        validity = b"[UIDVALIDITY %d] UIDs valid." % mbox.folder.uid_validity
        self.sendPositiveResponse(None, validity)
        self.sendUntaggedResponse(b"%d EXISTS" % len(mbox.uids))
        self.sendUntaggedResponse(b"0 RECENT")
        if unseen:
            self.sendPositiveResponse(None, b"[UNSEEN %d] First unseen." % unseen)
        self.sendPositiveResponse(None, b"[UIDNEXT %d] Predicted next UID." % mbox.uid_next())
        mode = b"[READ-WRITE]" if mbox.writeable else b"[READ-ONLY]"
        self.sendPositiveResponse(tag, mode + b" selected. (Success)")
        self.state = "select"
        self.mbox = mbox

    def do_UNSELECT(self, tag: bytes) -> None:
        """RFC 3691: CLOSE without expunging."""
        self.mbox = None
        self.state = "auth"
        self.sendPositiveResponse(tag, b"Returned to authenticated state. (Success)")

    def do_STATUS(self, tag: bytes, mailbox: str, names: list[bytes]) -> None:
        folder = self.account.select(mailbox, False)
        if folder is None:
            self.sendNegativeResponse(tag, b"[NONEXISTENT] Unknown Mailbox (Failure)")
            return
        try:
            values = folder.status([name.decode().upper() for name in names])
        except KeyError:
            self.sendBadResponse(tag, b"Could not parse command")
            return
        items = " ".join(f"{name} {value}" for name, value in values.items()).encode()
        self.sendUntaggedResponse(
            b'STATUS "' + mailbox.encode("imap4-utf-7") + b'" (' + items + b")"
        )
        self.sendPositiveResponse(tag, b"Success")

    def _refuse_folder_change(self, tag: bytes, names: bytes) -> None:
        self.sendNegativeResponse(tag, b"[CANNOT] The practice Gmail has Gmail's folders only.")

    def do_APPEND(
        self, tag: bytes, mailbox: str, flags: list[bytes], date: bytes, message: Any
    ) -> None:
        folder = self.account.select(mailbox)
        if folder is None:
            self.sendNegativeResponse(tag, b"[TRYCREATE] Folder does not exist (Failure)")
            return
        kept = [flag.decode() for flag in flags or []]
        self.service.post.append(folder.folder, message.read(), kept)
        self.sendPositiveResponse(tag, b"(Success)")
        self._tell_of_new_mail()

    def do_COPY(self, tag: bytes, messages: Any, mailbox: str, uid: int = 0) -> None:
        target = self.account.select(mailbox)
        if target is None:
            self.sendNegativeResponse(tag, b"[TRYCREATE] No folder (Failure)")
            return
        self.mbox.copy_to(messages, target, by_uid=bool(uid))
        self.sendPositiveResponse(tag, b"(Success)")

    # Searching

    def arg_search(self, line: bytes) -> Any:
        """Search keys up to the end of the line; a literal goes on in the next one."""
        start, brace, size = line.rpartition(b"{")
        if not brace or not size[:-1].isdigit() or size[-1:] != b"}":
            return line, b""
        literal: Deferred[Any] = self._stringLiteral(int(size[:-1]))
        literal.addCallback(lambda value: self.arg_search(start + quoted(value[0]) + value[1]))
        return literal

    def do_SEARCH(self, tag: bytes, charset: bytes | None, keys: bytes, uid: int = 0) -> None:
        if charset and charset.strip(b'"').upper() not in (b"UTF-8", b"US-ASCII"):
            self.sendNegativeResponse(tag, b"[BADCHARSET (UTF-8)] Unknown charset (Failure)")
            return
        folder: OpenFolder = self.mbox
        try:
            found = folder.search(parse_search(keys, folder.resolve))
        except (SearchRefused, NumbersRefused) as err:
            self.sendBadResponse(tag, f"Could not parse command: {err}".encode())
            return
        numbers = found if uid else [folder.number(each) for each in found]
        self.sendUntaggedResponse(b" ".join([b"SEARCH", *(b"%d" % each for each in numbers)]))
        self.sendPositiveResponse(tag, b"SEARCH completed (Success)")

    # Messages

    def arg_numbers(self, line: bytes) -> tuple[Numbers, bytes]:
        text, _, rest = line.partition(b" ")
        try:
            return Numbers(text.decode()), rest
        except NumbersRefused as err:
            raise IllegalClientResponse(str(err)) from err

    def do_STORE(
        self, tag: bytes, messages: Numbers, mode: bytes, flags: list[bytes], uid: int = 0
    ) -> None:
        if not STORE_MODE.match(mode):
            self.sendBadResponse(tag, b"Could not parse command")
        elif not self.mbox.writeable:
            self.sendNegativeResponse(tag, b"[READ-ONLY] Folder is read only (Failure)")
        else:
            super().do_STORE(tag, messages, mode, flags, uid)

    def arg_items(self, line: bytes) -> tuple[list[Item], bytes]:
        try:
            return parse_items(line), b""
        except FetchRefused as err:
            raise IllegalClientResponse(str(err)) from err

    def spewMessage(self, id: int, msg: Shown, query: list[Item], uid: int) -> Deferred[Any]:
        """Send one message's answer; the result comes when the client has taken it."""
        try:
            response = self._response(id, msg, query, by_uid=bool(uid))
        except Exception:  # noqa: BLE001 - no message that was sent to us may break more than this
            log.failure("A message could not be shown")
            self.sendUntaggedResponse(b"BYE [UNAVAILABLE] Temporary System Error")
            self.close()
            return Deferred()
        if self._cut_next:
            self.transport.write(response[: len(response) // 2])
            self.close()
            return Deferred()
        self._sending = True
        sent: Deferred[Any] = FileSender().beginFileTransfer(BytesIO(response), self.transport)
        sent.addCallbacks(self._message_sent, self._client_gone)
        return sent

    def _response(self, number: int, shown: Shown, items: list[Item], *, by_uid: bool) -> bytes:
        folder: OpenFolder = self.mbox
        wanted = list(items)
        if by_uid and not any(item.name == "UID" for item in items):
            wanted.insert(0, Item("UID"))
        reads = any(item.marks_as_read for item in items)
        if reads and folder.writeable and "\\Seen" not in shown.filed.flags:
            shown = folder.mark_as_read(shown.filed)
            if not any(item.name == "FLAGS" for item in wanted):
                wanted.append(Item("FLAGS"))
        return (
            b"* %d FETCH (" % number + b" ".join(answer(item, shown) for item in wanted) + b")\r\n"
        )

    def _message_sent(self, result: object) -> object:
        self._sending = False
        if self._over:
            super().end()
            # The rest of the FETCH is never sent.
            return Deferred()
        return result

    def _client_gone(self, failure: Failure) -> Deferred[Any]:
        """The connection is lost, and with it whoever would want to know."""
        return Deferred()

    def logged_in(self, owner: Account) -> None:
        self.account = AccountFolders(self.service, owner)


def _decoded_name(argument: tuple[bytes, bytes]) -> tuple[str, bytes]:
    name, rest = argument
    try:
        return name.decode("imap4-utf-7"), rest
    except (UnicodeError, binascii.Error) as err:
        raise IllegalClientResponse("Not a name of a folder") from err


OPEN = ("select",)
LOGGED_IN = ("auth", "select")
MAILBOX_ONLY = (Session._refuse_folder_change, IMAP4Server.arg_line)
OWN_COMMANDS: dict[bytes, tuple[tuple[str, ...], tuple[Any, ...]]] = {
    b"NAMESPACE": (LOGGED_IN, (Session.do_NAMESPACE,)),
    b"STATUS": (
        LOGGED_IN,
        (Session.do_STATUS, Session.arg_mailbox, IMAP4Server.arg_plist),
    ),
    b"CREATE": (LOGGED_IN, MAILBOX_ONLY),
    b"DELETE": (LOGGED_IN, MAILBOX_ONLY),
    b"RENAME": (LOGGED_IN, MAILBOX_ONLY),
    b"SUBSCRIBE": (LOGGED_IN, MAILBOX_ONLY),
    b"UNSUBSCRIBE": (LOGGED_IN, MAILBOX_ONLY),
    b"APPEND": (
        LOGGED_IN,
        (
            Session.do_APPEND,
            Session.arg_mailbox,
            IMAP4Server.opt_plist,
            IMAP4Server.opt_datetime,
            IMAP4Server.arg_literal,
        ),
    ),
    b"UNSELECT": (OPEN, (Session.do_UNSELECT,)),
    b"SELECT": (LOGGED_IN, (Session._selectWork, Session.arg_mailbox, 1, b"SELECT")),
    b"EXAMINE": (LOGGED_IN, (Session._selectWork, Session.arg_mailbox, 0, b"EXAMINE")),
    b"COPY": (OPEN, (Session.do_COPY, Session.arg_numbers, Session.arg_mailbox)),
    b"STORE": (
        OPEN,
        (
            Session.do_STORE,
            Session.arg_numbers,
            IMAP4Server.arg_atom,
            IMAP4Server.arg_flaglist,
        ),
    ),
    b"SEARCH": (OPEN, (Session.do_SEARCH, IMAP4Server.opt_charset, Session.arg_search)),
    b"FETCH": (OPEN, (IMAP4Server.do_FETCH, Session.arg_numbers, Session.arg_items)),
}
COMMANDS = LOGIN_COMMANDS | {
    (state, name): command for name, (states, command) in OWN_COMMANDS.items() for state in states
}


class SessionFactory(ServerFactory):
    """Makes a session for each connection. ``idle_timeout`` is in real seconds."""

    noisy = False

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        self._new_session = partial(Session, service, reactor, idle_timeout)

    def buildProtocol(self, addr: IAddress | None) -> Session:
        session = self._new_session()
        session.factory = self
        return session
