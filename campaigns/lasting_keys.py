"""The keys that are never changed, and whether they are those that this database was made with.

With another `SUPPRESSION_KEY` nobody who opted out would be known again, with another `TOKEN_KEY`
nobody could opt out by a mail that was sent before. So the database holds a mark of each, and with
one that does not fit Daypost does not start (`campaigns.checks`), nothing is claimed
(`campaigns.delivery.claim`), and no backup is restored (`campaigns.keeping.keys`).

See `docs/decisions/keys-that-are-never-changed.md`.
"""

import hashlib
import hmac
import logging

from django.conf import settings
from django.utils.translation import gettext as _

from campaigns.models import KeyMark

NAMES = ("SUPPRESSION_KEY", "TOKEN_KEY")

_log = logging.getLogger(__name__)
# Those that were found to fit: neither a key nor its mark changes while a process lives, and this
# is asked at every claim.
_fitting: tuple[str, ...] = ()


def mark(name: str) -> str:
    """What the database keeps of the key in use: HMAC-SHA256 under it, in hexadecimal."""
    key: str = getattr(settings, name)
    return hmac.digest(key.encode(), b"daypost mark of " + name.encode(), hashlib.sha256).hex()


def wrong() -> list[str]:
    """The names of the keys in use that are not those of this database."""
    known = dict(KeyMark.objects.values_list("name", "mark"))
    return [name for name in NAMES if name in known and known[name] != mark(name)]


def fit() -> bool:
    """Whether all are right, so that it may be sent; the log says loudly when they are not."""
    global _fitting
    in_use = tuple(getattr(settings, name) for name in NAMES)
    if in_use == _fitting:
        return True
    names = wrong()
    for name in names:
        _log.error("Nothing is sent. %s %s", what_is_wrong(name), what_to_do(name))
    if not names:
        _fitting = in_use
    return not names


def what_is_wrong(name: str) -> str:
    """A sentence for whoever runs the instance."""
    sentences = {
        "SUPPRESSION_KEY": _(
            "SUPPRESSION_KEY is not the key that this database was made with: people who opted out "
            "would not be known again."
        ),
        "TOKEN_KEY": _(
            "TOKEN_KEY is not the key that this database was made with: nobody could opt out by "
            "a mail that was sent before."
        ),
    }
    return sentences[name]


def what_to_do(name: str) -> str:
    """The next step."""
    return _(
        "Put the right one back, from the old machine's data folder or from a backup with keys, "
        "into %(folder)s/%(file)s (or into %(name)s in the environment), and start again."
    ) % {"folder": settings.KEYS_DIR, "file": name.lower(), "name": name}
