# mypy: allow-untyped-calls
"""The way into IMAP and out of it: greeting, who is it, the session's end, as Gmail words them."""

import base64
import binascii
import re
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from twisted.mail.imap4 import IMAP4Server
from twisted.python.failure import Failure

from practice.accounts import Account
from practice.faults import Fault
from practice.sasl import Conversation, Gatekeeper
from practice.service import Service
from practice.steps import Reactor, Steps

MOST_CONNECTIONS = 15
LONGEST_SESSION = timedelta(hours=24)
BEFORE_LOGIN = (
    "IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 SASL-IR "
    "AUTH=XOAUTH2 AUTH=PLAIN AUTH=OAUTHBEARER"
)
AFTER_LOGIN = "IMAP4rev1 UNSELECT IDLE NAMESPACE ID CHILDREN X-GM-EXT-1 SPECIAL-USE"
MECHANISMS = ("XOAUTH2", "PLAIN", "OAUTHBEARER")
QUOTED = re.compile(rb'"((?:[^"\\]|\\["\\])*)"(?: (.*))?\Z')

BAD_CREDENTIALS = b"[AUTHENTICATIONFAILED] Invalid credentials (Failure)"
SWITCHED_OFF = (
    b"[ALERT] Your account is not enabled for IMAP use. Please visit your Gmail settings page and "
    b"enable your account for IMAP access. (Failure)"
)
TOO_MANY_CONNECTIONS = b"[ALERT] Too many simultaneous connections. (Failure)"
EXPIRED = b"BYE Session expired, please login again."


class Login(Steps, IMAP4Server):
    """A session up to the login, and its end."""

    protocol = "imap"

    def __init__(self, service: Service, reactor: Reactor, idle_timeout: float) -> None:
        IMAP4Server.__init__(self)
        self.begin(service, reactor, idle_timeout)
        self._gatekeeper = Gatekeeper(service.accounts, service.oauth)
        self._conversation: Conversation = self._gatekeeper.nobody()
        self._tag = b"*"

    def lookupCommand(self, cmd: bytes) -> Any:
        """Twisted finds its commands by the names of attributes, ours go before them."""
        return self.commands().get((self.state, cmd.upper())) or super().lookupCommand(cmd)

    def commands(self) -> dict[tuple[str, bytes], tuple[Any, ...]]:
        """By state and name: what carries a command out, and what reads its arguments."""
        return COMMANDS

    def logged_in(self, owner: Account) -> None:
        """Called once, when the account is known."""
        raise NotImplementedError

    def mail_came(self, account: str) -> None:
        """Called when new mail lies in a folder of an account."""
        raise NotImplementedError

    # Greeting and end

    def connectionMade(self) -> None:
        self.service.sessions.opened(self)
        self.service.post.listeners.add(self.mail_came)
        self.setTimeout(self._idle_timeout)
        self.step("connect", self.sendServerGreeting)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.service.sessions.closed(self)
        self.service.post.listeners.discard(self.mail_came)
        self.closing = True
        super().connectionLost(reason)

    def sendServerGreeting(self) -> None:
        greeting = f"Gimap ready for requests from 127.0.0.1 {secrets.token_hex(8)}"
        self.sendPositiveResponse(message=greeting.encode())

    def timeoutConnection(self) -> None:
        if self.closing:
            self.transport.abortConnection()
        else:
            self.sendUntaggedResponse(b"BYE Connection timed out, idle too long")
            self.close()

    def look_at_the_clock(self) -> None:
        if not self.closing and self.is_over(LONGEST_SESSION, self._gatekeeper.token):
            self.end()

    def end(self) -> None:
        if not self.closing:
            self.sendUntaggedResponse(EXPIRED)
            self.close()

    def fail(self, fault: Fault, lines: list[str], recipients: Sequence[str]) -> None:
        reply = lines[0].encode()
        bye = reply.startswith(b"BYE")
        self.sendLine((b"* " if bye or fault.where == "connect" else self._tag + b" ") + reply)
        if bye or fault.where == "connect":
            self.close()

    # What is offered

    def listCapabilities(self) -> list[bytes]:
        return (BEFORE_LOGIN if self.owner is None else AFTER_LOGIN).encode().split()

    def do_CAPABILITY(self, tag: bytes) -> None:
        self.sendUntaggedResponse(b"CAPABILITY " + b" ".join(self.listCapabilities()))
        self.sendPositiveResponse(tag, b"Thats all she wrote!")

    def do_ID(self, tag: bytes, client: bytes) -> None:
        """RFC 2971."""
        self.sendUntaggedResponse(b'ID ("name" "GImap" "vendor" "Practice Gmail")')
        self.sendPositiveResponse(tag, b"Success")

    # Who is it?

    def arg_astring(self, line: bytes, final: bool = False) -> Any:
        """Twisted knows no quotes within a quoted string."""
        match = QUOTED.match(line.strip())
        if match is None:
            return super().arg_astring(line, final)
        return re.sub(rb"\\(.)", rb"\1", match[1]), match[2] or b""

    def do_LOGIN(self, tag: bytes, user: bytes, password: bytes) -> None:
        account = self.service.accounts.authenticate(
            user.decode("utf-8", "replace"), password.decode("utf-8", "replace")
        )
        self._answer_login(tag, account)

    def do_AUTHENTICATE(self, tag: bytes, mechanism: bytes, initial: bytes | None = None) -> None:
        """With an initial response (RFC 4959) or without."""
        name = mechanism.decode().upper()
        conversation = self._gatekeeper.begin(name) if name in MECHANISMS else None
        if conversation is None:
            self.sendNegativeResponse(tag, b"Unsupported authentication mechanism (Failure)")
            return
        self._tag = tag
        self._conversation = conversation
        question = next(conversation)
        self.parseState = "response"
        if initial:
            self.parse_response(b"" if initial == b"=" else initial)
        else:
            self._ask(question)

    def parse_response(self, line: bytes) -> None:
        """One answer of the conversation."""
        tag = self._tag
        try:
            self._ask(self._conversation.send(base64.b64decode(line, validate=True)))
        except binascii.Error:
            self.parseState = "command"
            self.sendBadResponse(tag, b"Invalid SASL argument")
        except StopIteration as end:
            self.parseState = "command"
            self._answer_login(tag, end.value)

    def _ask(self, question: bytes) -> None:
        self.sendLine(b"+ " + base64.b64encode(question))

    def _answer_login(self, tag: bytes, account: Account | None) -> None:
        self._tag = tag
        self.step("auth", partial(self._welcome, tag, account), account=account)

    def _welcome(self, tag: bytes, account: Account | None) -> None:
        if account is None:
            self.sendNegativeResponse(tag, BAD_CREDENTIALS)
        elif not self.service.settings.of(account.email).imap:
            self.sendNegativeResponse(tag, SWITCHED_OFF)
        elif self.service.sessions.live("imap", account) >= MOST_CONNECTIONS:
            self.sendNegativeResponse(tag, TOO_MANY_CONNECTIONS)
        else:
            self.welcome(account)
            self.logged_in(account)
            self.state = "auth"
            self.sendUntaggedResponse(b"CAPABILITY " + b" ".join(self.listCapabilities()))
            self.sendPositiveResponse(tag, account.email.encode() + b" authenticated (Success)")


COMMANDS: dict[tuple[str, bytes], tuple[Any, ...]] = {
    ("unauth", b"AUTHENTICATE"): (
        Login.do_AUTHENTICATE,
        IMAP4Server.arg_atom,
        IMAP4Server.arg_line,
    ),
    ("unauth", b"LOGIN"): (Login.do_LOGIN, Login.arg_astring, Login.arg_finalastring),
    **{(state, b"CAPABILITY"): (Login.do_CAPABILITY,) for state in ("unauth", "auth", "select")},
    **{
        (state, b"ID"): (Login.do_ID, IMAP4Server.arg_line)
        for state in ("unauth", "auth", "select")
    },
}
