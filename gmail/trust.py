"""Who vouches for a mail: what Gmail found when it took it in. Pure.

Anybody can write a mail that says it comes from Gmail's mailer-daemon, and name one of our
messages in it. Two things cannot be forged, since Gmail writes them above what came:

- `Authentication-Results` (RFC 8601), the topmost, of mx.google.com: which domains signed the mail
  (DKIM), sent it (SPF), or stand for its From (DMARC).
- `Received` (RFC 5321 section 4.4): what another server handed over has a line with "from". Gmail's
  own reports often never left it, and then carry no results; but no line with "from" either.

A mail with several From or To is believed in nothing: a signature holds for one of them, and a
program shows another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.utils import parseaddr

GMAIL = frozenset({"googlemail.com", "google.com"})
# Of so many people that whoever signs for them says nothing of one; Gmail reports on them itself.
SHARED = frozenset({"gmail.com", "googlemail.com"})
_MAILER_DAEMON = "mailer-daemon"
_POSTMASTERS = (_MAILER_DAEMON, "postmaster")

_SERVER = re.compile(r"(?:[a-z0-9-]{1,63}\.){0,9}google\.com")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"')
_DOMAIN = re.compile(r"(?:[a-z0-9-]{1,63}\.){1,9}[a-z0-9-]{1,63}")
_LONGEST = 10_000

# Which property of which method says for whom it passed (RFC 8601 section 2.7).
_SAYS = {"dkim": ("header.i", "header.d"), "dmarc": ("header.from",), "spf": ("smtp.helo",)}


def is_gmails_own(mail: Message) -> bool:
    """Whether Gmail's own mailer-daemon wrote it. To whom, is not looked at: `addressed_to`."""
    local_part, domain = _sender(mail)
    if local_part != _MAILER_DAEMON or domain not in GMAIL:
        return False
    if mail.get("Authentication-Results") is None:
        return _never_left_gmail(mail)
    return bool(_passed(mail, "dkim", "dmarc") & GMAIL)


def addressed_to(mail: Message) -> str:
    """The one address in its one To; empty where there is not just one."""
    fields = mail.get_all("To", [])
    return parseaddr(str(fields[0])[:1_000])[1].lower() if len(fields) == 1 else ""


def is_report_of(mail: Message, domain: str) -> bool:
    """Whether it provably comes from the mailer-daemon or postmaster of `domain`."""
    local_part, sender = _sender(mail)
    domain = domain.lower()
    return (
        local_part in _POSTMASTERS
        and domain not in SHARED
        and _is_within(sender, domain)
        and any(_is_within(one, domain) for one in _passed(mail, "dkim", "dmarc", "spf"))
    )


def is_authentic(mail: Message) -> bool:
    """Whether its From is proven: signed, or stood for, by the domain that stands there."""
    _, sender = _sender(mail)
    return any(_is_within(sender, one) for one in _passed(mail, "dkim", "dmarc"))


def is_disowned(mail: Message) -> bool:
    """Whether the domain in its From says that it is not from there (DMARC)."""
    return any(method == "dmarc" and result == "fail" for method, result, _ in _results(mail))


def _sender(mail: Message) -> tuple[str, str]:
    """Local part and domain of its one From."""
    fields = mail.get_all("From", [])
    if len(fields) != 1:
        return "", ""
    local_part, _, domain = parseaddr(str(fields[0])[:1_000])[1].lower().rpartition("@")
    return local_part, domain


def _is_within(domain: str, parent: str) -> bool:
    return domain == parent or domain.endswith(f".{parent}")


def _never_left_gmail(mail: Message) -> bool:
    lines = [str(line).lstrip().lower() for line in mail.get_all("Received", [])]
    return bool(lines) and not any(line.startswith("from") for line in lines)


def _passed(mail: Message, *methods: str) -> frozenset[str]:
    """The domains for which one of these methods passed when Gmail took the mail in."""
    found = set()
    for method, result, said in _results(mail):
        if method in methods and result == "pass":
            values = (said.get(name, "") for name in _SAYS[method])
            domains = (value.rpartition("@")[2].rstrip(".") for value in values)
            found |= {domain for domain in domains if _DOMAIN.fullmatch(domain)}
    return frozenset(found)


def _results(mail: Message) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Method, result and properties, of the topmost Authentication-Results if it is Gmail's.

    A sender's address is repeated there, and may hold what looks like a result: in quotes, or in
    the comments. Where what is left of either is not whole, nothing of it is believed.
    """
    value = " ".join(str(mail.get("Authentication-Results", ""))[:_LONGEST].lower().split())
    bare = _without_comments(_QUOTED.sub("", value))
    if bare is None or '"' in bare:
        return
    server, *results = bare.split(";")
    if not _SERVER.fullmatch((server.split() or [""])[0]):
        return
    for result in results:
        first, *others = result.split() or [""]
        method, _, outcome = first.partition("=")
        if method in _SAYS:
            yield method, outcome, dict(_pair(each) for each in others)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _without_comments(value: str) -> str | None:
    """Without what stands in brackets; None where they do not fit together."""
    kept, depth = [], 0
    for character in value:
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if depth < 0:
                return None
            kept.append(" ")
        elif not depth:
            kept.append(character)
    return None if depth else "".join(kept)
