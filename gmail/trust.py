"""Who vouches for a mail: what Gmail found when it took it in. Pure.

Anybody can write a mail that says it comes from Gmail's mailer-daemon, and name one of our
messages in it. Two things cannot be forged, since Gmail writes them above what came:

- `Authentication-Results` (RFC 8601), the topmost of mx.google.com: which domains signed the mail
  (DKIM), sent it (SPF), or stand for its From (DMARC).
- `Received` (RFC 5321 section 4.4): what another server handed over has a line with "from". Gmail's
  own reports often never left it, and then carry no results; but no line with "from" either.
"""

from __future__ import annotations

import re
from email.message import Message
from email.utils import parseaddr

GMAIL = frozenset({"googlemail.com", "google.com"})
_MAILER_DAEMON = "mailer-daemon"

_SERVER = re.compile(r"\s*(?:[a-z0-9-]+\.)*google\.com(?:\s+\d+)?\s*$", re.IGNORECASE)
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_COMMENT = re.compile(r"\([^()]*\)")
_DOMAIN = r"=(?:[^;\s@=]*@)?([a-z0-9.-]+)"
_SIGNED_OR_ALIGNED = re.compile(
    rf"\s*(?:dkim=pass\b.*\bheader\.[id]{_DOMAIN}|dmarc=pass\b.*\bheader\.from{_DOMAIN})",
    re.IGNORECASE,
)
_SENT = re.compile(rf"\s*spf=pass\b.*\bsmtp\.(?:mailfrom|helo){_DOMAIN}", re.IGNORECASE)


def is_gmails_own(mail: Message) -> bool:
    """Whether Gmail's own mailer-daemon wrote it."""
    local_part, _, domain = parseaddr(str(mail.get("From", "")))[1].lower().partition("@")
    if local_part != _MAILER_DAEMON or domain not in GMAIL:
        return False
    if mail.get("Authentication-Results") is None:
        return _never_left_gmail(mail)
    return bool(_passed(mail, _SIGNED_OR_ALIGNED) & GMAIL)


def is_from(mail: Message, domain: str) -> bool:
    """Whether it provably comes from the servers of `domain`, or of one above or below it."""
    domain = domain.lower()
    return any(
        domain == one or domain.endswith(f".{one}") or one.endswith(f".{domain}")
        for one in _passed(mail, _SIGNED_OR_ALIGNED, _SENT)
        if "." in one
    )


def _never_left_gmail(mail: Message) -> bool:
    lines = [str(line).lstrip().lower() for line in mail.get_all("Received", [])]
    return bool(lines) and not any(line.startswith("from") for line in lines)


def _passed(mail: Message, *forms: re.Pattern[str]) -> frozenset[str]:
    """The domains for which one of these methods passed when Gmail took the mail in."""
    found = (form.match(result) for result in _results(mail) for form in forms)
    domains = (domain for match in found if match for domain in match.groups() if domain)
    return frozenset(domain.lower().rstrip(".") for domain in domains)


def _results(mail: Message) -> list[str]:
    """Of the topmost Authentication-Results, one for each method; none where it is not Gmail's.

    A sender's address is repeated there, and may hold what looks like a result: in quotes, or in
    the comments. Where what is left of either is not whole, nothing of it is believed.
    """
    value = _QUOTED.sub("", " ".join(str(mail.get("Authentication-Results", "")).split()))
    while (bare := _COMMENT.sub(" ", value)) != value:
        value = bare
    server, *results = value.split(";")
    if not _SERVER.match(server) or any(mark in value for mark in '"()'):
        return []
    return results
