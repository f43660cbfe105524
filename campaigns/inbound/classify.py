"""A mail that came in -> what it is: a delivery report, an answer, an opt-out, or nothing. Pure.

Which message it is about, and what follows, is found out later: `matching`, `apply`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.message import Message
from enum import StrEnum

from campaigns.inbound.automatic import is_automatic
from campaigns.inbound.written import asks_to_stop, text_of
from gmail import reports, trust
from gmail.inbound_header import InboundHeader, date_of
from gmail.reports import Report


class Kind(StrEnum):
    """The kinds of `campaigns.models.InboundMail`."""

    REPORT = "report"
    REPLY = "reply"
    AUTOMATIC = "automatic"
    OPT_OUT = "opt_out"


@dataclass(frozen=True)
class Came:
    """A mail, understood. `key` is its identity, in whichever folder it lies.

    `dated`: its own Date, in UTC. `reports`: one for each recipient, of a delivery report.
    `by_gmail`: proven to be of Gmail's own mailer-daemon. `by_token`: it was written to an address
    that is there for opting out.
    """

    kind: Kind
    key: str
    header: InboundHeader
    dated: datetime | None
    text: str = ""
    reports: tuple[Report, ...] = ()
    by_gmail: bool = False
    by_token: bool = False
    mail: Message = field(default_factory=Message, repr=False, compare=False)

    @property
    def addressed_to(self) -> str:
        """The one address in its To."""
        return trust.addressed_to(self.mail)

    def is_report_of(self, domain: str) -> bool:
        """Whether it is proven to come from the mailer-daemon of that domain."""
        return trust.is_report_of(self.mail, domain)

    @property
    def is_authentic(self) -> bool:
        """Whether its From is proven."""
        return trust.is_authentic(self.mail)

    @property
    def is_disowned(self) -> bool:
        """Whether the domain of its From denies it."""
        return trust.is_disowned(self.mail)


def classify(raw: bytes, *, opts_out: bool) -> Came | None:
    """What `raw` is, which may be cut short; None for what reports that all is well.

    `opts_out`: it was written to an address that is there for opting out.
    """
    try:
        mail = message_from_bytes(raw)
        return _classify(mail, raw, opts_out)
    except (RecursionError, ValueError, LookupError, MessageError):
        # Nested without end, or cut in a way that the parser gives up on.
        return None


def _classify(mail: Message, raw: bytes, opts_out: bool) -> Came | None:
    header = InboundHeader.of(mail)
    came = Came(Kind.REPLY, _key(mail, raw), header, date_of(mail), mail=mail)
    if opts_out:
        return replace(came, kind=Kind.OPT_OUT, by_token=True)
    if header.may_report:
        found = reports.of(mail)
        if found:
            own = trust.is_gmails_own(mail)
            return replace(came, kind=Kind.REPORT, reports=found, by_gmail=own)
        if mail.get_content_type() == "multipart/report":
            return None
    came = replace(came, text=text_of(mail))
    # Asked first: some programs mark what a person wrote, and send an opt-out by themselves.
    if asks_to_stop(header.subject, came.text):
        return replace(came, kind=Kind.OPT_OUT)
    if is_automatic(mail, header.subject):
        return replace(came, kind=Kind.AUTOMATIC)
    return came


def _key(mail: Message, raw: bytes) -> str:
    """By its Message-ID; of a mail without one, by its beginning."""
    message_id = " ".join(str(mail.get("Message-ID", "")).split())
    return hashlib.sha256(message_id.encode() or raw[:4_000]).hexdigest()
