"""Faults on demand: what the mail servers do wrong, where, and how often.

``POST /control`` with ``{"faults": [...]}`` replaces the whole list; ``[]`` clears it. One fault:

    {"where": "dot", "reply": "421 4.7.0 Try again later", "times": 2, "to": "ana@example.org"}

``where`` is the step at which it strikes:

    connect     instead of the greeting
    auth        as the answer to the credentials, good or bad
    mail rcpt data   as the answer to that command
    body        when the first bytes of the message have come
    dot         when the message has ended, before anything is accepted
    accepted    the ledger is written, the 250 is not yet sent

A fault of the other servers names its ``protocol``, "imap" or "pop"; without one it is "smtp":

    {"protocol": "imap", "where": "select", "reply": "NO [UNAVAILABLE] Temporary System Error"}

    imap        connect auth list select search fetch
    pop         connect auth uidl top retr

What it does is one of:

    "reply": TEXT     answer this 4xx or 5xx instead; lines are separated by a line feed.
                      IMAP takes one line of NO, BAD or BYE, POP one of -ERR
    "drop": true      cut the connection without a word; at fetch, top and retr in the middle of
                      the first message
    "hang": SECONDS   say nothing for so long, then carry on as if nothing had been; a client that
                      has gone away meanwhile does not change that, as with a real server

The connection is closed after a reply at ``connect`` and ``body``, after any 421 and any BYE.
``times`` is how often it strikes (1 by default, null for always). ``account`` and ``to`` narrow it
to one sender or recipient. The first fault of the list that fits is the one that strikes.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from practice.addresses import same_mailbox

PLACES = {
    "smtp": ("connect", "auth", "mail", "rcpt", "data", "body", "dot", "accepted"),
    "imap": ("connect", "auth", "list", "select", "search", "fetch"),
    "pop": ("connect", "auth", "uidl", "top", "retr"),
}
PLACES_WITH_RECIPIENT = ("rcpt", "data", "body", "dot", "accepted")
ACTIONS = ("reply", "drop", "hang")
KEYS = ("where", *ACTIONS, "times", "account", "to", "protocol")
REPLY_LINE = re.compile(r"[45][0-9]{2}([ -])[\x20-\x7e]*\Z")
ONE_LINE_REPLIES = {
    "imap": (
        re.compile(r"(NO|BAD|BYE) [\x20-\x7e]+\Z"),
        '"reply" must be an IMAP reply like "NO [UNAVAILABLE] Temporary System Error".',
    ),
    "pop": (
        re.compile(r"-ERR [\x20-\x7e]+\Z"),
        '"reply" must be a POP reply like "-ERR [SYS/TEMP] Temporary system problem.".',
    ),
}
LONGEST_HANG = 3600


class FaultRefused(Exception):
    """The description of a fault makes no sense; the text says why."""


@dataclass
class Fault:
    """``times`` is how often it may still strike, None for always. ``hang`` is in seconds."""

    where: str
    protocol: str = "smtp"
    reply: str | None = None
    drop: bool = False
    hang: float | None = None
    times: int | None = 1
    account: str | None = None
    to: str | None = None

    def as_json(self) -> dict[str, Any]:
        kept = {key: value for key, value in vars(self).items() if value not in (None, False)}
        if self.protocol == "smtp":
            del kept["protocol"]
        return {**kept, "times": self.times}

    def fits(
        self, protocol: str, where: str, account: str | None, recipients: Collection[str]
    ) -> bool:
        if (protocol, where) != (self.protocol, self.where) or self.times == 0:
            return False
        if self.account and not (account and same_mailbox(account, self.account)):
            return False
        return not self.to or any(same_mailbox(each, self.to) for each in recipients)


class Faults:
    """The list of faults in force; it is forgotten when the server stops."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def replace(self, faults: list[Fault]) -> None:
        self._faults = faults

    def take(
        self,
        where: str,
        account: str | None = None,
        recipients: Collection[str] = (),
        *,
        protocol: str = "smtp",
    ) -> Fault | None:
        """The fault that strikes here and now, if any; it is used up by one."""
        for fault in self._faults:
            if fault.fits(protocol, where, account, recipients):
                if fault.times is not None:
                    fault.times -= 1
                return fault
        return None

    def as_json(self) -> list[dict[str, Any]]:
        """The faults that may still strike."""
        return [fault.as_json() for fault in self._faults if fault.times != 0]


def parse_faults(value: object) -> list[Fault]:
    """Read the list that was posted. Raises FaultRefused with a sentence for people."""
    if not isinstance(value, list):
        raise FaultRefused('"faults" must be a list.')
    return [_parse_fault(each) for each in value]


def _parse_fault(value: object) -> Fault:
    if not isinstance(value, dict):
        raise FaultRefused('A fault must be an object like {"where": "dot", "drop": true}.')
    unknown = sorted(set(value) - set(KEYS))
    if unknown:
        raise FaultRefused(f'A fault has no "{unknown[0]}". It may have: {", ".join(KEYS)}.')
    protocol = value.get("protocol", "smtp")
    if protocol not in PLACES:
        raise FaultRefused(f'"protocol" must be one of: {", ".join(PLACES)}.')
    if value.get("where") not in PLACES[protocol]:
        raise FaultRefused(f'"where" must be one of: {", ".join(PLACES[protocol])}.')
    if sum(key in value for key in ACTIONS) != 1:
        raise FaultRefused('A fault needs exactly one of "reply", "drop" and "hang".')
    _check_action(value, protocol)
    _check_match(value)
    return Fault(**value)


def _check_action(value: dict[str, Any], protocol: str) -> None:
    if "reply" in value and protocol == "smtp":
        _check_reply(value["reply"])
    elif "reply" in value:
        form, sentence = ONE_LINE_REPLIES[protocol]
        if not (isinstance(value["reply"], str) and form.match(value["reply"])):
            raise FaultRefused(sentence)
    if "drop" in value and value["drop"] is not True:
        raise FaultRefused('"drop" must be true.')
    if "hang" in value and not (_is_number(value["hang"]) and 0 < value["hang"] <= LONGEST_HANG):
        raise FaultRefused(f'"hang" must be a number of seconds up to {LONGEST_HANG}.')


def _check_reply(reply: object) -> None:
    sentence = '"reply" must be an SMTP reply like "421 4.7.0 Try again later", in plain ASCII.'
    if not isinstance(reply, str):
        raise FaultRefused(sentence)
    matches = [REPLY_LINE.match(line) for line in reply.split("\n")]
    separators = "".join(match[1] if match else "?" for match in matches)
    if not re.fullmatch("-* ", separators) or len({line[:3] for line in reply.split("\n")}) != 1:
        raise FaultRefused(sentence)


def _check_match(value: dict[str, Any]) -> None:
    times = value.get("times", 1)
    if times is not None and not (type(times) is int and times > 0):
        raise FaultRefused('"times" must be a whole number above 0, or null for always.')
    for key in ("account", "to"):
        if key in value and not (isinstance(value[key], str) and value[key]):
            raise FaultRefused(f'"{key}" must be an address.')
    if "account" in value and value["where"] == "connect":
        raise FaultRefused('At "connect" the account is not known yet: leave "account" out.')
    if "to" in value and value["where"] not in PLACES_WITH_RECIPIENT:
        raise FaultRefused(f'At "{value["where"]}" no recipient is known yet: leave "to" out.')


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
