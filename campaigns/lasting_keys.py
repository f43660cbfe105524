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
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from campaigns.models import Contact, KeyMark, Suppression
from campaigns.models.address_hash import address_hash

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
        "into %(folder)s/%(file)s (or into %(name)s in the environment), and start again. Only "
        "where it is lost for good: manage.py accept_keys."
    ) % {"folder": settings.KEYS_DIR, "file": name.lower(), "name": name}


@transaction.atomic
def accept() -> int:
    """Make the keys in use those of this database, where the right ones are lost for good.

    Every address that is still there is hashed anew. Returns how many suppressions are of somebody
    who was erased: of those only the old hash is left, and nobody knows them again.
    """
    if "SUPPRESSION_KEY" in wrong():
        for contact in Contact.objects.only("pk", "email_key").iterator():
            _hash_anew(Contact.objects.filter(pk=contact.pk), contact.email_key)
        for one in Suppression.objects.exclude(email_key="").iterator():
            hashed = address_hash(one.email_key)
            twin = Suppression.objects.filter(workspace=one.workspace_id, email_hash=hashed)
            if twin.exclude(pk=one.pk).exists():
                # Suppressed once more under the wrong key.
                twin.delete()
            _hash_anew(Suppression.objects.filter(pk=one.pk), one.email_key)
    for name in NAMES:
        KeyMark.objects.update_or_create(name=name, defaults={"mark": mark(name)})
    return Suppression.objects.filter(email_key="").count()


def _hash_anew(row: QuerySet[Any], email_key: str) -> None:
    row.update(email_hash=address_hash(email_key))
