"""Whether a person opened or clicked, or a program that looks at every mail. Pure.

Nobody can tell for certain, so what is counted is an estimate, and a program is rather taken for
one too often: virus scanners open every link before the mail is delivered, Apple Mail fetches
every picture whether the mail is read or not, chat programs look at what a link leads to.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

# Nobody has a mail before them so soon after it was handed over; what checks mail on arrival has.
ON_ARRIVAL = timedelta(seconds=10)
# A person does not follow two links of a mail within so short a time.
AT_ONCE = timedelta(seconds=2)
# A second picture or page for the same look: browsers ask again, and some ask twice.
SAME_LOOK = timedelta(seconds=10)
# Of one message; whoever opens it more often makes no difference any more.
MOST = 100

# They fetch a picture when their person opens the mail, and hide who that is.
_FOR_A_PERSON = re.compile(r"GoogleImageProxy|YahooMailProxy", re.IGNORECASE)
_PROGRAM = re.compile(
    # What calls itself one, and libraries that programs are written with.
    r"bot\b|bot/|crawl|spider|scan|preview|headless|phantom|monitor|fetch|check|validator"
    r"|curl|wget|libwww|python|java/|ruby|perl|php|go-http|okhttp|httpclient|axios|node\b|scrapy"
    # What filters mail.
    r"|barracuda|proofpoint|mimecast|symantec|messagelabs|cloudmark|zscaler|fireeye|trendmicro"
    r"|sophos|forcepoint|ironport|virus|security|safelinks"
    # What shows a link in a chat.
    r"|facebookexternalhit|whatsapp|telegram|slack|discord|skypeuri|linkedin|twitter|embedly",
    re.IGNORECASE,
)
# Apple Mail fetches by a proxy of this name and no more (Mail Privacy Protection).
_NAMELESS = re.compile(r"(?:Mozilla/5\.0)?\s*")


@dataclass(frozen=True, slots=True)
class Look:
    """One fetch of a message's picture (`link` is None) or of one of its links."""

    link: int | None
    at: datetime
    by_machine: bool = False


def is_machine(user_agent: str, headers: Mapping[str, str]) -> bool:
    """By what it says of itself: its name, and whether nobody may be looking yet (`headers`)."""
    purpose = f"{headers.get('Sec-Purpose', '')} {headers.get('Purpose', '')}".lower()
    if "prefetch" in purpose or "prerender" in purpose or headers.get("X-Moz") == "prefetch":
        return True
    if _FOR_A_PERSON.search(user_agent):
        return False
    return bool(_NAMELESS.fullmatch(user_agent) or _PROGRAM.search(user_agent))


def is_on_arrival(at: datetime, handed_over_at: datetime | None) -> bool:
    """Whether it came before a person could have had the mail."""
    return handed_over_at is not None and at - handed_over_at < ON_ARRIVAL


def at_once_with(look: Look, before: Sequence[Look]) -> list[Look]:
    """The looks of `before` that give a program away together with this one: within two seconds,
    where these are of two different links at the least; the picture then belongs to them."""
    near = [one for one in before if abs(look.at - one.at) <= AT_ONCE]
    links = {one.link for one in (*near, look)} - {None}
    return near if len(links) > 1 else []


def is_same(look: Look, before: Sequence[Look]) -> bool:
    """Whether it tells nothing that one of `before` has not told."""
    return any(
        one.link == look.link and one.by_machine == look.by_machine and look.at - one.at < SAME_LOOK
        for one in before
    )
