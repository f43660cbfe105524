# mypy: allow-untyped-calls
"""SMTP as smtp.gmail.com speaks it (RFC 5321): what each command does, and in which order."""

import base64
import binascii
from collections.abc import Callable
from functools import partial

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.internet.ssl import CertificateOptions
from twisted.logger import Logger

from practice import replies
from practice.accounts import Account
from practice.addresses import AddressRefused, DomainRefused, check_address
from practice.connection import Connection
from practice.envelopes import SyntaxRefused, Transaction, parse_chunk, parse_mail, parse_rcpt
from practice.incoming import SIZE_LIMIT, ChunkedBody, DottedBody
from practice.ledger import Accepted
from practice.sasl import Conversation, Gatekeeper
from practice.service import LimitExceeded, Service
from practice.steps import Reactor

MOST_RECIPIENTS = 100
LONGEST_COMMAND = 700

BEFORE_TLS = ("EHLO", "HELO", "STARTTLS", "NOOP", "RSET", "QUIT")
BEFORE_LOGIN = (*BEFORE_TLS, "AUTH", "VRFY")
EXTENSIONS_BEFORE_TLS = (
    f"SIZE {SIZE_LIMIT}",
    "8BITMIME",
    "STARTTLS",
    "ENHANCEDSTATUSCODES",
    "PIPELINING",
    "CHUNKING",
    "SMTPUTF8",
)
EXTENSIONS = (
    f"SIZE {SIZE_LIMIT}",
    "8BITMIME",
    "AUTH LOGIN PLAIN XOAUTH2 PLAIN-CLIENTTOKEN OAUTHBEARER XOAUTH",
    "ENHANCEDSTATUSCODES",
    "PIPELINING",
    "CHUNKING",
    "SMTPUTF8",
)

log = Logger()


class Session(Connection):
    """One client. ``starttls`` is None where TLS began before the first word."""

    def __init__(
        self,
        service: Service,
        reactor: Reactor,
        idle_timeout: float,
        starttls: CertificateOptions | None,
    ) -> None:
        super().__init__(service, reactor, idle_timeout)
        self._gatekeeper = Gatekeeper(service.accounts, service.oauth)
        self._starttls = starttls
        self._secure = starttls is None
        self._helo = ""
        self._conversation: Conversation | None = None
        self._transaction: Transaction | None = None
        self._body: DottedBody | ChunkedBody | None = None
        self._body_begun = False
        self._commands: dict[str, Callable[[str], None]] = {
            "EHLO": self._ehlo,
            "HELO": self._helo_command,
            "STARTTLS": self._start_tls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "BDAT": self._bdat,
            "RSET": self._rset,
            "NOOP": self._noop,
            "VRFY": self._vrfy,
            "QUIT": self._quit,
        }

    def lineReceived(self, line: bytes) -> None:
        if self.closing:
            return
        self.resetTimeout()
        if self._conversation is not None:
            self._continue_auth(self._conversation, line)
        elif len(line) > LONGEST_COMMAND:
            self.reply(replies.LINE_TOO_LONG)
        else:
            self._command(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self.closing or self._body is None:
            return
        self.resetTimeout()
        if not self._body_begun:
            self._body_begun = True
            # Put back first, so that it waits its turn while a fault hangs.
            self.dataReceived(data)
            recipients = self._transaction.recipients if self._transaction else ()
            self.step("body", lambda: None, recipients=recipients)
            return
        rest = self._body.feed(data)
        if rest is not None:
            self.setLineMode(rest)
            self._body_complete(self._body)

    def _command(self, line: bytes) -> None:
        try:
            name, _, argument = line.decode().partition(" ")
        except UnicodeDecodeError:
            self.reply(replies.SYNTAX_ERROR)
            return
        name = name.upper()
        if not self._secure and name not in BEFORE_TLS:
            self.reply(replies.STARTTLS_FIRST)
        elif name not in self._commands:
            self.reply(replies.UNKNOWN_COMMAND)
        elif self.owner is None and name not in BEFORE_LOGIN:
            # A chunk that follows an unwelcome BDAT would be read as commands.
            self.reply(replies.AUTHENTICATION_REQUIRED)
            if name == "BDAT":
                self.close()
        else:
            self._commands[name](argument.strip(" "))

    # Hello, TLS and small talk

    def _ehlo(self, argument: str) -> None:
        if not self._meet(argument):
            return
        extensions = EXTENSIONS if self._secure else EXTENSIONS_BEFORE_TLS
        lines = ["smtp.gmail.com at your service, [127.0.0.1]", *extensions]
        self.send(*(f"250-{line}" for line in lines[:-1]), f"250 {lines[-1]}")

    def _helo_command(self, argument: str) -> None:
        if self._meet(argument):
            self.send("250 smtp.gmail.com at your service")

    def _meet(self, argument: str) -> bool:
        if not argument or " " in argument:
            self.reply(replies.BAD_HELO)
            return False
        self._helo = argument
        self._transaction = None
        return True

    def _start_tls(self, argument: str) -> None:
        if self._starttls is None or self._secure:
            self.reply(replies.TLS_ALREADY)
            return
        # What came in plain text behind the command was not said under TLS (RFC 3207 section 4.2).
        self.clearLineBuffer()
        self.reply(replies.TLS_READY)
        self.transport.startTLS(self._starttls)
        self._secure = True
        self._helo = ""
        self._transaction = None

    def _rset(self, argument: str) -> None:
        self._transaction = None
        self.reply(replies.FLUSHED)

    def _noop(self, argument: str) -> None:
        self.reply(replies.OK)

    def _vrfy(self, argument: str) -> None:
        self.reply(replies.VERIFY)

    def _quit(self, argument: str) -> None:
        self.reply(replies.CLOSING)
        self.close()

    # Who is it?

    def _auth(self, argument: str) -> None:
        mechanism, _, initial = argument.partition(" ")
        conversation = self._gatekeeper.begin(mechanism)
        if not self._helo:
            self.reply(replies.HELO_FIRST)
        elif self.owner is not None or self._transaction is not None:
            self.reply(replies.NO_IDENTITY_CHANGE)
        elif conversation is None:
            self.reply(replies.UNKNOWN_MECHANISM)
        else:
            question = next(conversation)
            self._conversation = conversation
            if initial:
                # A single = stands for an initial response that is empty (RFC 4954 section 4).
                response = b"" if initial == "=" else initial.encode()
                self._continue_auth(conversation, response)
            else:
                self._ask(question)

    def _continue_auth(self, conversation: Conversation, line: bytes) -> None:
        if line == b"*":
            self._conversation = None
            self.reply(replies.CANCELLED)
            return
        try:
            response = base64.b64decode(line, validate=True)
        except binascii.Error:
            self._conversation = None
            self.reply(replies.UNDECODABLE)
            return
        try:
            self._ask(conversation.send(response))
        except StopIteration as end:
            self._conversation = None
            self.step("auth", partial(self._welcome, end.value), account=end.value)

    def _ask(self, question: bytes) -> None:
        self.send(f"334 {base64.b64encode(question).decode()}")

    def _welcome(self, account: Account | None) -> None:
        if account is None:
            self.reply(replies.BAD_CREDENTIALS)
        else:
            self.welcome(account)
            self.reply(replies.AUTHENTICATED)

    # The envelope

    def _mail(self, argument: str) -> None:
        if not self._helo:
            self.reply(replies.HELO_FIRST)
        elif self._transaction is not None:
            self.reply(replies.NESTED_MAIL)
        else:
            self.step("mail", partial(self._begin, argument))

    def _begin(self, argument: str) -> None:
        try:
            transaction = parse_mail(argument)
            if transaction.sender:
                check_address(transaction.sender, international=transaction.international)
        except SyntaxRefused:
            self.refuse(replies.SYNTAX_ERROR)
        except AddressRefused as err:
            self.refuse(replies.bad_sender(str(err)))
        else:
            if transaction.size > SIZE_LIMIT:
                self.refuse(replies.TOO_LARGE)
                return
            self._transaction = transaction
            self.reply(replies.SENDER_OK)

    def _rcpt(self, argument: str) -> None:
        if self._transaction is None:
            self.reply(replies.MAIL_FIRST)
            return
        try:
            recipient = parse_rcpt(argument)
        except SyntaxRefused:
            self.refuse(replies.SYNTAX_ERROR)
            return
        self.step("rcpt", partial(self._add, self._transaction, recipient), recipients=[recipient])

    def _add(self, transaction: Transaction, recipient: str) -> None:
        try:
            check_address(recipient, international=transaction.international)
        except DomainRefused:
            self.refuse(replies.BAD_DOMAIN, [recipient])
        except AddressRefused:
            self.refuse(replies.bad_recipient(recipient), [recipient])
        else:
            if not transaction.add(recipient, at_most=MOST_RECIPIENTS):
                self.refuse(replies.TOO_MANY_RECIPIENTS, [recipient])
                return
            self.reply(replies.RECIPIENT_OK)

    # The message

    def _data(self, argument: str) -> None:
        if self._transaction is None:
            self.reply(replies.MAIL_FIRST)
        elif not self._transaction.recipients:
            self.reply(replies.RCPT_FIRST)
        elif self._transaction.chunks is not None:
            self.reply(replies.BDAT_ONLY)
        else:
            self.step("data", self._receive_data, recipients=self._transaction.recipients)

    def _receive_data(self) -> None:
        self.reply(replies.GO_AHEAD)
        self._receive(DottedBody())

    def _bdat(self, argument: str) -> None:
        """A chunk; there is no way to refuse one before it has come (RFC 3030 section 2)."""
        try:
            octets, last = parse_chunk(argument)
        except SyntaxRefused:
            self.reply(replies.SYNTAX_ERROR)
            self.close()
            return
        transaction = self._transaction
        body = (transaction.chunks if transaction else None) or ChunkedBody()
        body.expect(octets, last=last)
        if transaction:
            transaction.chunks = body
        if octets:
            self._receive(body)
        else:
            self._body_complete(body)

    def _receive(self, body: DottedBody | ChunkedBody) -> None:
        self._body = body
        self._body_begun = False
        self.setRawMode()

    def _body_complete(self, body: DottedBody | ChunkedBody) -> None:
        self._body = None
        transaction = self._transaction
        if transaction is None or self.owner is None:
            self.reply(replies.MAIL_FIRST)
        elif not transaction.recipients:
            self.reply(replies.RCPT_FIRST)
        elif isinstance(body, ChunkedBody) and not body.is_last:
            self.reply(replies.CHUNK_OK)
        elif body.too_large:
            self.refuse(replies.TOO_LARGE, transaction.recipients)
            self._transaction = None
        else:
            accept = partial(self._accept, self.owner, transaction, body.content)
            self.step("dot", accept, recipients=transaction.recipients)

    def _accept(self, account: Account, transaction: Transaction, content: bytes) -> None:
        self._transaction = None
        recipients = transaction.recipients
        try:
            accepted = self.service.accept(account, tuple(recipients), content, self._helo)
        except LimitExceeded:
            self.refuse(replies.LIMIT_EXCEEDED, recipients)
        except OSError:
            log.failure("A message could not be written")
            self.refuse(replies.SYSTEM_PROBLEM, recipients)
            self.close()
        else:
            self.step("accepted", partial(self._confirm, accepted), recipients=recipients)

    def _confirm(self, accepted: Accepted) -> None:
        self.send(replies.accepted(int(accepted.at.timestamp()), accepted.id))

    def forget_message(self) -> None:
        self._transaction = None


class SessionFactory(ServerFactory):
    """Makes a session for each connection. ``idle_timeout`` is in real seconds."""

    noisy = False

    def __init__(
        self,
        service: Service,
        reactor: Reactor,
        idle_timeout: float,
        starttls: CertificateOptions | None = None,
    ) -> None:
        self._new_session = partial(Session, service, reactor, idle_timeout, starttls)

    def buildProtocol(self, addr: IAddress | None) -> Session:
        session = self._new_session()
        session.factory = self
        return session
