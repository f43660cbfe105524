"""Tables as other programs export them, made small."""

import csv
import io
from collections.abc import Iterable, Sequence

GOOGLE_OLD = [
    "Name",
    "Given Name",
    "Additional Name",
    "Family Name",
    "Yomi Name",
    "Birthday",
    "Location",
    "Notes",
    "Group Membership",
    "E-mail 1 - Type",
    "E-mail 1 - Value",
    "E-mail 2 - Type",
    "E-mail 2 - Value",
    "Phone 1 - Type",
    "Phone 1 - Value",
    "Organization 1 - Name",
]

GOOGLE_NEW = [
    "First Name",
    "Middle Name",
    "Last Name",
    "Phonetic First Name",
    "Nickname",
    "File As",
    "Organization Name",
    "Organization Title",
    "Birthday",
    "Notes",
    "Photo",
    "Labels",
    "E-mail 1 - Label",
    "E-mail 1 - Value",
    "E-mail 2 - Label",
    "E-mail 2 - Value",
    "Phone 1 - Label",
    "Phone 1 - Value",
]

OUTLOOK = [
    "First Name",
    "Middle Name",
    "Last Name",
    "Company",
    "Business Street",
    "Home Phone",
    "Categories",
    "E-mail Address",
    "E-mail Type",
    "E-mail Display Name",
    "E-mail 2 Address",
    "Notes",
]


def table(
    header: Sequence[str],
    people: Iterable[dict[str, str]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    line_end: str = "\r\n",
) -> bytes:
    """A CSV in which each of `people` fills the columns it names."""
    out = io.StringIO()
    writer = csv.DictWriter(
        out, header, restval="", delimiter=delimiter, lineterminator=line_end, strict=True
    )
    writer.writeheader()
    writer.writerows(people)
    return out.getvalue().encode(encoding)


def google_old(count: int) -> bytes:
    """The old form of Google Contacts' export."""
    return table(
        GOOGLE_OLD,
        (
            {
                "Name": f"Ana Maria Lee{number}",
                "Given Name": "Ana",
                "Additional Name": "Maria",
                "Family Name": f"Lee{number}",
                "Notes": "Met at the fair,\nlikes tea",
                "Group Membership": "* myContacts ::: Choir",
                "E-mail 1 - Type": "* Home",
                "E-mail 1 - Value": f"ana{number}@example.org ::: ana{number}@example.net",
                "Phone 1 - Value": f"+49 30 {number:06}",
            }
            for number in range(1, count + 1)
        ),
    )


def google_new(count: int) -> bytes:
    """The new form of Google Contacts' export."""
    return table(
        GOOGLE_NEW,
        (
            {
                "First Name": "Ana",
                "Last Name": f"Lee{number}",
                "Labels": "* myContacts",
                "E-mail 1 - Label": "* Home",
                "E-mail 1 - Value": f"ana{number}@example.org",
                "E-mail 2 - Value": f"work{number}@example.org",
            }
            for number in range(1, count + 1)
        ),
        line_end="\n",
    )
