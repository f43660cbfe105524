"""Why a message was not delivered -> what that says of its recipient. Pure.

By the codes of RFC 3463 where they say anything, else by the few words that servers use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """What a report says of one recipient."""

    # The address, or its domain, does not exist.
    HARD = "hard"
    # This message failed; the address may be fine.
    SOFT = "soft"
    # Refused for what it is or whom it comes from; the address may be fine.
    BLOCKED = "blocked"
    # Not delivered yet, and still being tried.
    DELAY = "delay"
    # Gmail's sending limit: it was not sent at all, although Gmail had accepted it.
    LIMIT = "limit"
    # No delivery report, or one that says that all is well.
    NONE = "none"


# Pages of Google's help, which stand in a notice of any language.
_LIMIT = re.compile(
    r"reached (a|your) limit for sending|(sending|relay) (limit|quota)\b.{0,40}\bexceeded"
    r"|exceeded.{0,40}\bsending (limit|quota)\b|answer[/=](22839|166852)\b|[45]\.4\.5\b",
    re.IGNORECASE | re.DOTALL,
)
_GMAIL_BLOCK = re.compile(
    r"answer[/=]69585\b|Message rejected\b|p=CustomFromDenied\b", re.IGNORECASE
)
_FULL = re.compile(
    r"mail ?box (is )?full|over ?quota|(disk |storage )?quota (is )?(full|exceeded)"
    r"|exceed(s|ed)? .{0,40}quota|out of storage|storage (is )?full|insufficient (system )?storage"
    r"|not enough (storage|space)|box is full",
    re.IGNORECASE,
)
_SENDER = re.compile(
    r"\bsender\b.{0,60}\b(rejected|denied|invalid|not (allowed|authori[sz]ed|permitted)|blocked"
    r"|verif|does not exist|unknown)|(rejected|denied|blocked|invalid).{0,30}\bsender\b"
    r"|mail from .{0,80}(rejected|denied|invalid)|send mail as",
    re.IGNORECASE,
)
_POLICY = re.compile(
    r"\bspam|\bblock(ed|list)|black ?list|\b(dns|r)bl\b|spamhaus|barracuda|\bpolicy\b|reputation"
    r"|unsolicited|\bvirus|malware|phish|prohibited|banned|unauthenticated|not authenticated"
    r"|\b(spf|dkim|dmarc|ptr)\b|reverse dns|message content|content (was )?(rejected|refused)"
    r"|header error|not rfc ?\d* ?compliant|access denied|not allowed|not permitted|permission"
    r"|groups\.google\.com/support|too (big|large)|size (limit|exceed)|exceeds .{0,20}(size|limit)"
    r"|service unavailable",
    re.IGNORECASE,
)
_UNKNOWN_PERSON = re.compile(
    r"user (is )?(unknown|not (found|known|exist))|unknown (user|recipient|address|local|mailbox)"
    r"|no such (user|recipient|address|mailbox|person|account|customer|local)|no mailbox"
    r"|(recipient|address|mailbox|account|user|alias)s? .{0,80}"
    r"(does ?n[o']t exist|do(es)? not exist|not found|unknown|could ?n[o']t be found)"
    r"|(does ?n[o']t|does not|do not) exist|(invalid|undeliverable|bad|nonexistent)"
    r" (recipient|mailbox|address|user)|not a (valid|known) (user|recipient|mailbox|address)"
    r"|address (rejected|not found)|recipient (address )?rejected|recipient not found"
    r"|not our customer|user doesn|account that you tried to reach does not",
    re.IGNORECASE,
)
_NO_DOMAIN = re.compile(
    r"nxdomain|null mx|domain name not found|no relevant answers|domain .{0,80}couldn't be found"
    r"|host (or domain name )?not found|no such domain|unrouteable|unknown (host|domain)"
    r"|domain .{0,80}does ?n[o']t (exist|receive|accept)",
    re.IGNORECASE,
)
_UNREACHED = re.compile(
    r"did not accept our requests|timed? ?out|timeout|could not connect|socket error|servfail"
    r"|connection (refused|reset|dropped|lost|closed)|try again|temporar|greylist|later"
    r"|support tls|retry time",
    re.IGNORECASE,
)
# Gmail's own headings.
_NOT_FOUND = re.compile(r"address not found|couldn't be found", re.IGNORECASE)

_ENHANCED = re.compile(r"(?<![\d.])#?([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# By subject and detail (RFC 3463 section 3), of the remote server's own code.
_HARD_CODES = {(1, 1), (1, 2), (1, 3), (1, 10)}
_SENDER_CODES = {(1, 7), (1, 8)}
_FULL_CODES = {(2, 2)}
_CONTENT_CODES = {(2, 3), (3, 4)}
_POLICY_SUBJECTS = (6, 7)


@dataclass(frozen=True)
class Failure:
    """`status` and `diagnostic` as the report's fields have them, `text` its own words. `remote`: a
    server of the recipient's side took part in it.
    """

    status: str
    diagnostic: str
    text: str
    remote: bool

    @property
    def is_limit(self) -> bool:
        """Gmail's own, in its notice; another server's is that server's affair."""
        return not self.remote and _LIMIT.search(self._words) is not None

    @property
    def is_by_gmail(self) -> bool:
        """Gmail itself would not have it."""
        return self.is_limit or (not self.remote and _GMAIL_BLOCK.search(self._words) is not None)

    @property
    def code(self) -> str:
        """The enhanced code: the other server's own where it says anything, else the report's."""
        said = (self.diagnostic, self.status)
        found = [".".join(code) for each in said for code in _ENHANCED.findall(each)]
        telling = (code for code in found if not code.endswith(".0.0"))
        return next(telling, found[-1] if found else "")

    @property
    def verdict(self) -> Verdict:
        """What it means, whatever class of status it is given.

        Gmail reports a missing domain as failed with 4.0.0: what failed has failed. What could be
        read in two ways is never hard, since that alone is held against the address.
        """
        if self.is_limit:
            return Verdict.LIMIT
        if self.is_by_gmail:
            return Verdict.BLOCKED
        reason, detail = self.diagnostic or self.text, self._detail
        if detail in _FULL_CODES or _FULL.search(reason):
            return Verdict.SOFT
        if detail in _SENDER_CODES | _CONTENT_CODES or _SENDER.search(reason):
            return Verdict.BLOCKED
        person = _UNKNOWN_PERSON.search(reason) is not None
        if detail in _HARD_CODES and (person or not _POLICY.search(reason)):
            return Verdict.HARD
        if detail is not None and detail[0] in _POLICY_SUBJECTS:
            return Verdict.BLOCKED
        if _NO_DOMAIN.search(reason):
            return Verdict.HARD
        if _POLICY.search(reason):
            return Verdict.BLOCKED
        if person:
            return Verdict.HARD
        if _UNREACHED.search(reason):
            return Verdict.SOFT
        return Verdict.HARD if _NOT_FOUND.search(self.text) else Verdict.SOFT

    @property
    def _words(self) -> str:
        return f"{self.text} {self.diagnostic}"

    @property
    def _detail(self) -> tuple[int, int] | None:
        """Subject and detail of a code that says anything."""
        _, subject, detail = map(int, (self.code or "0.0.0").split("."))
        return (subject, detail) if (subject, detail) != (0, 0) else None
