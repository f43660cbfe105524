"""Whom the workspace must not write to again, as its people say it."""

import re
from collections.abc import Iterable

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts.address import AddressRefused, email_key, normalise
from campaigns.models import Suppression
from campaigns.models.address_hash import address_hash

_BETWEEN = re.compile(r"[,;\n\r]+")
_AT_A_TIME = 500


def read_addresses(text: str) -> tuple[list[str], list[str]]:
    """The keys of the addresses in a pasted text, each once, and the pieces that are none."""
    keys: dict[str, None] = {}
    wrong = []
    for piece in _BETWEEN.split(text):
        if not piece.strip():
            continue
        try:
            keys[email_key(normalise(piece).email)] = None
        except AddressRefused:
            wrong.append(piece.strip())
    return list(keys), wrong


def suppress(
    workspace: Workspace,
    keys: Iterable[str],
    note: str = "",
    reason: Suppression.Reason = Suppression.Reason.BY_HAND,
) -> int:
    """Suppress them all; returns how many were not before. Who was keeps the first reason."""
    new = not_suppressed(workspace, keys)
    Suppression.objects.bulk_create(
        [
            Suppression(
                workspace=workspace, email_key=key, email_hash=hashed, note=note, reason=reason
            )
            for key, hashed in new.items()
        ],
        batch_size=_AT_A_TIME,
        ignore_conflicts=True,
    )
    return len(new)


def not_suppressed(workspace: Workspace, keys: Iterable[str]) -> dict[str, str]:
    """Those of `keys` that may be written to, with their hashes."""
    hashes = {key: address_hash(key) for key in keys}
    known: set[str] = set()
    every = list(hashes.values())
    for start in range(0, len(every), _AT_A_TIME):
        here = visible(Suppression.objects.all(), workspace)
        some = here.filter(email_hash__in=every[start : start + _AT_A_TIME])
        known.update(some.values_list("email_hash", flat=True))
    return {key: hashed for key, hashed in hashes.items() if hashed not in known}
