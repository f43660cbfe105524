"""What each column of a table means: which is the address, which the names, and what the rest is.

A column becomes `email`, `first_name`, `last_name`, `name` (split in two), `-` (left out), or a
further field of the contact under a safe merge name: `Member no.` -> `member_no`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence

from django.utils.translation import gettext as _

from campaigns.contacts.address import looks_like_address
from campaigns.contacts.aliases import EMAIL, FIRST_NAME, LAST_NAME, NAME, alias_of
from campaigns.contacts.reasons import NoAddressColumn, WrongChoice
from campaigns.rendering.fields import LINK_FIELDS, STANDARD_FIELDS, WORKSPACE_FIELDS

IGNORED = "-"
STANDARD = (EMAIL, FIRST_NAME, LAST_NAME, NAME)

LONGEST_FIELD_NAME = 60
"""Characters of a merge-field name."""

_RESERVED = frozenset(
    """
    and as assign blank by capture case contains cycle decrement else elsif empty false for forloop
    if in include increment nil none not null or render tablerow tablerowloop true unless when with
    """.split()  # noqa: SIM905
)
"""Words of Liquid, which no field may be called."""

_TAKEN = _RESERVED.union(STANDARD, STANDARD_FIELDS, WORKSPACE_FIELDS, LINK_FIELDS)

LINE = "line"
REASON = "reason"
"""The last columns of a table of rejected rows: mended and imported again, they mean nothing."""

OUR_COLUMNS = ("Email", "First name", "Last name")
LISTS = "Lists"
"""What an export of Daypost begins and ends with: where it goes back to, the import is told."""


def column_names(header: Sequence[str]) -> list[str]:
    """What the columns are called: as in the header, never empty, none twice."""
    names: list[str] = []
    for number, cell in enumerate(header, start=1):
        wanted = " ".join(cell.split()) or f"Column {number}"
        name, times = wanted, 1
        while name in names:
            times += 1
            name = f"{wanted} ({times})"
        names.append(name)
    return names


def numbered_names(width: int) -> list[str]:
    """What the columns of a table without header are called."""
    return [f"Column {number}" for number in range(1, width + 1)]


def merge_field(column: str) -> str:
    """The safe merge-field name of a column: small letters, digits and `_`, not a word of Liquid.

    Accents are taken off; letters of other scripts stay, which Liquid allows.
    """
    plain = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFKD", column.casefold()))
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFC", plain)).strip("_")
    name = re.sub("_{2,}", "_", name)[:LONGEST_FIELD_NAME].rstrip("_") or "field"
    if not name[0].isalpha() or name in _TAKEN:
        name = f"field_{name}"[:LONGEST_FIELD_NAME]
    return name


def guess_columns(
    names: Sequence[str],
    sample: Sequence[Sequence[str]],
    chosen: Mapping[str, str] | None = None,
    address_needed: bool = True,
) -> dict[str, str]:
    """What each column means, in the table's order. `chosen` overrules for the columns it names.

    Raises NoAddressColumn when no column holds addresses, unless `address_needed` is False;
    WrongChoice when `chosen` does not fit.
    """
    fixed = _checked(names, chosen or {})
    open_to_guess = [name for name in names if name not in fixed]
    taken = set(fixed.values())
    meaning = dict(fixed)
    if EMAIL not in taken:
        address = _address_column(names, sample, open_to_guess)
        if address is not None:
            meaning[address] = EMAIL
        elif address_needed:
            raise _no_address_column(names)
    by_alias = {name: alias_of(name) for name in open_to_guess if name not in meaning}
    for name, field in _names_of_people(by_alias, taken).items():
        meaning[name] = field
    if list(names[-2:]) == [LINE, REASON]:
        meaning = {LINE: IGNORED, REASON: IGNORED} | meaning
    if tuple(names[: len(OUR_COLUMNS)]) == OUR_COLUMNS and names[-1] == LISTS:
        meaning = {LISTS: IGNORED} | meaning
    used = set(meaning.values())
    for name in names:
        if name not in meaning:
            meaning[name] = _unique(merge_field(name), used)
            used.add(meaning[name])
    return {name: meaning[name] for name in names}


def _checked(names: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    fixed: dict[str, str] = {}
    for column, field in chosen.items():
        if column not in names:
            raise WrongChoice(
                _("There is no column “%(column)s”. The columns are: %(columns)s.")
                % {"column": column, "columns": ", ".join(names)}
            )
        field = field.strip()
        wanted = field if field in STANDARD or field in {"", IGNORED} else merge_field(field)
        wanted = wanted or IGNORED
        if wanted != IGNORED and wanted in fixed.values():
            raise WrongChoice(
                _("Two columns cannot both become “%(field)s”. Choose another for one of them.")
                % {"field": wanted}
            )
        fixed[column] = wanted
    return fixed


def _address_column(
    names: Sequence[str], sample: Sequence[Sequence[str]], candidates: Sequence[str]
) -> str | None:
    """The column called like an address that holds the most addresses, else the one that does."""
    addresses = {
        name: sum(at < len(row) and looks_like_address(row[at]) for row in sample)
        for at, name in enumerate(names)
        if name in candidates
    }
    called_so = [name for name in candidates if alias_of(name) == EMAIL]
    for group in (called_so, candidates):
        best = max(group, key=addresses.__getitem__, default=None)
        if best is not None and addresses[best]:
            return best
    return called_so[0] if called_so else None


def _no_address_column(names: Sequence[str]) -> NoAddressColumn:
    sentence = _(
        "No column holds e-mail addresses. The columns are: %(columns)s. "
        "Choose the file that has them, or say which column it is."
    )
    return NoAddressColumn(sentence % {"columns": ", ".join(names[:20])}, list(names))


def _names_of_people(by_alias: Mapping[str, str | None], taken: set[str]) -> dict[str, str]:
    """The columns that hold names. A bare “Name” beside one half of a name is the other half."""
    found: dict[str, str] = {}
    for field in (FIRST_NAME, LAST_NAME, NAME):
        column = next((name for name, alias in by_alias.items() if alias == field), None)
        if column is not None and field not in taken:
            found[column] = field
    have = set(found.values()) | taken
    whole = next((column for column, field in found.items() if field == NAME), None)
    if whole is not None and {FIRST_NAME, LAST_NAME} & have:
        if FIRST_NAME not in have:
            found[whole] = FIRST_NAME
        elif LAST_NAME not in have:
            found[whole] = LAST_NAME
        else:
            found[whole] = IGNORED
    return found


def _unique(name: str, used: set[str]) -> str:
    unique, times = name, 1
    while unique in used:
        times += 1
        ending = f"_{times}"
        unique = name[: LONGEST_FIELD_NAME - len(ending)] + ending
    return unique
