"""Domains that are likely typing errors, `gmial.com` for `gmail.com`: flagged, never changed."""

from collections.abc import Iterator

_OFTEN_MEANT = (
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "outlook.com",
    "yahoo.com",
)
_REAL_NEIGHBOURS = frozenset({"email.com", "mail.com", "rmail.com", "vmail.com", "ymail.com"})
"""One slip away from a domain above, and yet mailbox providers in their own right."""

_ENDINGS = {"cmo": "com", "comm": "com", "con": "com", "ocm": "com", "vom": "com", "xom": "com"}
_ENDINGS |= {"nett": "net", "ogr": "org", "orgg": "org"}
"""Top-level domains that do not exist, and what was meant."""

_LETTERS = "abcdefghijklmnopqrstuvwxyz.-"


def likely_domain(domain: str) -> str | None:
    """The domain that was likely meant, or None when nothing looks wrong with this one.

    ``domain`` is in lower case.
    """
    meant = _MISSPELT.get(domain)
    if meant is not None:
        return meant
    name, _, ending = domain.rpartition(".")
    if ending in _ENDINGS:
        corrected = f"{name}.{_ENDINGS[ending]}"
        return _MISSPELT.get(corrected, corrected)
    return None


def _one_slip_away(word: str) -> Iterator[str]:
    """What a finger makes of a word: a letter left out, wrong, too many, or two swapped."""
    for at in range(len(word) + 1):
        head, tail = word[:at], word[at:]
        yield head + tail[1:]
        yield head + tail[1:2] + tail[:1] + tail[2:]
        for letter in _LETTERS:
            yield head + letter + tail[1:]
            yield head + letter + tail


_MISSPELT = {
    slip: domain
    for domain in _OFTEN_MEANT
    for slip in _one_slip_away(domain)
    if slip not in _REAL_NEIGHBOURS and slip not in _OFTEN_MEANT
}
