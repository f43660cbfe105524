"""A mail that came in -> what it is: a delivery report, an answer, an opt-out, or nothing. Pure.

Which message it is about, and what follows, is found out later: `matching`, `apply`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime
from email import message_from_bytes
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
    `by_gmail`: proven to be of Gmail's own mailer-daemon; `vouched_for` says of a domain whether
    the mail is proven to come from there.
    """

    kind: Kind
    key: str
    header: InboundHeader
    dated: datetime | None
    text: str = ""
    reports: tuple[Report, ...] = ()
    by_gmail: bool = False
    mail: Message = field(default_factory=Message, repr=False, compare=False)

    def is_from(self, domain: str) -> bool:
        return trust.is_from(self.mail, domain)


def classify(raw: bytes, *, opts_out: bool) -> Came | None:
    """What `raw` is, which may be cut short; None for what reports that all is well.

    `opts_out`: it was written to an address that is there for opting out.
    """
    try:
        mail = message_from_bytes(raw)
        return _classify(mail, raw, opts_out)
    except (RecursionError, ValueError, LookupError):
        # Nested without end, or cut in a way that the parser gives up on.
        return None


def _classify(mail: Message, raw: bytes, opts_out: bool) -> Came | None:
    header = InboundHeader.of(mail)
    came = Came(Kind.REPLY, _key(mail, raw), header, date_of(mail), mail=mail)
    if opts_out:
        return replace(came, kind=Kind.OPT_OUT)
    if header.may_report:
        found = reports.read(raw)
        if found:
            own = trust.is_gmails_own(mail)
            return replace(came, kind=Kind.REPORT, reports=found, by_gmail=own)
        if mail.get_content_type() == "multipart/report":
            return None
    came = replace(came, text=text_of(mail))
    if is_automatic(mail, header.subject):
        return replace(came, kind=Kind.AUTOMATIC)
    if asks_to_stop(header.subject, came.text):
        return replace(came, kind=Kind.OPT_OUT)
    return came


def _key(mail: Message, raw: bytes) -> str:
    """By its Message-ID; of a mail without one, by its beginning."""
    message_id = " ".join(str(mail.get("Message-ID", "")).split())
    return hashlib.sha256(message_id.encode() or raw[:4_000]).hexdigest()
