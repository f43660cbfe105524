"""Where an address occurs in files that were uploaded, and in what an import says of its rows.

Also within a cell that holds more than the address, and as people write a domain of other scripts.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts import bringing, uploads
from campaigns.models import ContactImport

_PIECE = 1 << 20
# Longer than an address: what a piece ends with is read again with the next.
_OVERLAP = 1_024
# A longer domain, and not the ending of a file that is named after the address.
_GOES_ON = r"\.(?!(?:csv|tsv|txt|xlsx?)\b)\w"


def pattern_of(email_key: str) -> re.Pattern[str]:
    """The address in a text, and not as a part of a longer one."""
    local, _at, domain = email_key.rpartition("@")
    forms = {email_key, f"{local}@{_in_its_script(domain)}"}
    either = "|".join(map(re.escape, sorted(forms)))
    return re.compile(rf"(?<![\w.+-])(?:{either})(?![\w-]|{_GOES_ON})", re.IGNORECASE)


@dataclass(frozen=True)
class ImportTrace:
    """An import in which the address occurs: in its file, its rejected rows, or its problems."""

    job: ContactImport
    in_file: bool
    in_rejected: bool
    problems: list[dict[str, Any]]


def imports_with(workspace: Workspace, email_key: str) -> list[ImportTrace]:
    """Those in which the address still occurs, the newest first."""
    pattern = pattern_of(email_key)
    found = []
    for job in visible(ContactImport.objects.all(), workspace).order_by("-pk").iterator():
        trace = ImportTrace(
            job,
            in_file=_occurs_in(job.stored_as, pattern, job.encoding),
            in_rejected=_occurs_in(job.problems_as, pattern, "utf-8-sig"),
            problems=[one for one in job.problems if pattern.search(str(one.get("value", "")))],
        )
        if trace.in_file or trace.in_rejected or trace.problems:
            found.append(trace)
    return found


def other_files_with(workspace: Workspace, email_key: str) -> list[str]:
    """Tables of suppressions that were looked at and not brought, in which it occurs."""
    pattern = pattern_of(email_key)
    mine = Path(settings.UPLOADS_DIR).glob(f"{bringing.belongs_to(workspace)}*")
    encodings = ("utf-8", "utf-16-le", "utf-16-be")
    return [
        file.name
        for file in sorted(mine)
        if any(_occurs_in(file.name, pattern, encoding) for encoding in encodings)
    ]


def _occurs_in(name: str, pattern: re.Pattern[str], encoding: str) -> bool:
    if not name:
        return False
    try:
        return any(pattern.search(piece) for piece in _pieces(uploads.path_of(name), encoding))
    except FileNotFoundError:
        return False


def _pieces(file: Path, encoding: str) -> Iterator[str]:
    """The text of a file, in pieces that overlap; what is not text is replaced."""
    decode = codecs.getincrementaldecoder(encoding or "utf-8")(errors="replace").decode
    end_of_last = ""
    with file.open("rb") as read:
        while raw := read.read(_PIECE):
            piece = end_of_last + decode(raw)
            yield piece
            end_of_last = piece[-_OVERLAP:]


def _in_its_script(domain: str) -> str:
    try:
        return domain.encode("ascii").decode("idna")
    except UnicodeError:
        return domain
