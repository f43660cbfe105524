"""The way of a file from somebody's hands to a worker: received, looked at, corrected, started."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import ExitStack

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import User, Workspace
from campaigns.contacts import uploads
from campaigns.contacts.dialect import Dialect, Guess, guess
from campaigns.models import ContactImport, ContactList

LONGEST_FILE_NAME = 255
"""Characters, as in the column."""

# Control characters, NUL among them, which PostgreSQL does not keep; and halves of characters.
_UNSHOWN = frozenset({"Cc", "Cs"})


def receive(
    workspace: Workspace, file_name: str, chunks: Iterable[bytes], user: User | None = None
) -> ContactImport:
    """Keep a file that was given to us, guessed but not yet started.

    Raises NotATable, and keeps nothing, when it is no table of text. That no column holds
    addresses is no reason to refuse it here: a person may know better.
    """
    with ExitStack() as undo:
        stored_as = uploads.store(chunks)
        undo.callback(uploads.remove, stored_as)
        path = uploads.path_of(stored_as)
        with path.open("rb") as file:
            guessed = guess(file, address_needed=False)
        job = ContactImport.objects.create(
            workspace=workspace,
            created_by=user,
            file_name=shown_name(file_name),
            stored_as=stored_as,
            bytes_total=path.stat().st_size,
            **_as_columns(guessed),
        )
        undo.pop_all()  # nothing went wrong: the file stays
    return job


def shown_name(file_name: str) -> str:
    """What a file is called on the screens, whatever its name was: no folders, no control
    characters, and no longer than the column; of a long name the end says what it is."""
    last = re.split(r"[/\\]", file_name)[-1]
    printable = "".join(letter for letter in last if unicodedata.category(letter) not in _UNSHOWN)
    return printable.strip()[-LONGEST_FILE_NAME:] or _("Unnamed file")


def look(
    job: ContactImport,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_line: int | None = None,
    columns: Mapping[str, str] | None = None,
    address_needed: bool = False,
) -> Guess:
    """The file as it reads with these choices; what is None is guessed. Saves nothing.

    Raises WrongChoice, and NoAddressColumn when `address_needed`.
    """
    with uploads.path_of(job.stored_as).open("rb") as file:
        return guess(
            file,
            encoding=encoding,
            delimiter=delimiter,
            header_line=header_line,
            columns=columns,
            address_needed=address_needed,
        )


def choose(job: ContactImport, dialect: Dialect) -> None:
    """Keep how the file is to be read, as long as the import has not started."""
    _not_started(job.pk).update(**_as_columns(dialect))


def start(job: ContactImport, contact_list: ContactList, consent: str) -> bool:
    """Let a worker have it. False when it was started, or cancelled, before."""
    return bool(
        _not_started(job.pk).update(
            state=ContactImport.State.WAITING, contact_list=contact_list, consent=consent
        )
    )


def discard(job: ContactImport) -> None:
    """Delete an import and its files. The contacts that it brought stay."""
    job.delete()
    uploads.remove(job.stored_as)
    uploads.remove(job.problems_as)


def list_named(workspace: Workspace, name: str) -> ContactList:
    """The list of this name, made when it is new."""
    found, _made = ContactList.objects.get_or_create(workspace=workspace, name=name.strip())
    return found


def _not_started(pk: int) -> QuerySet[ContactImport]:
    return ContactImport.objects.filter(pk=pk, state=ContactImport.State.UPLOADED)


def _as_columns(dialect: Dialect) -> dict[str, object]:
    return {
        "encoding": dialect.encoding,
        "delimiter": dialect.delimiter,
        "header_line": dialect.header_line,
        "columns": dialect.columns,
    }
