"""Whom the workspace must not write to again, given by hand."""

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


def suppress(workspace: Workspace, keys: Iterable[str], note: str = "") -> int:
    """Suppress them all by hand; returns how many were not before."""
    keys = list(keys)
    hashes = {key: address_hash(key) for key in keys}
    known: set[str] = set()
    for start in range(0, len(keys), _AT_A_TIME):
        here = visible(Suppression.objects.all(), workspace)
        some = here.filter(email_hash__in=[hashes[key] for key in keys[start : start + _AT_A_TIME]])
        known.update(some.values_list("email_hash", flat=True))
    new = [key for key in keys if hashes[key] not in known]
    Suppression.objects.bulk_create(
        [
            Suppression(workspace=workspace, email_key=key, email_hash=hashes[key], note=note)
            for key in new
        ],
        batch_size=_AT_A_TIME,
        ignore_conflicts=True,
    )
    return len(new)
