"""Moments, days and counts in words: "today 14:07", "500 on Tuesday". Pure; takes `now` and a zone.

Words are the language's of the request; times are on the wall clock of the zone that is given.
"""

from calendar import monthrange
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

# Days named one by one in a sentence; the rest are summed up.
NAMED_DAYS = 4


def number(count: int) -> str:
    """With the language's separator of thousands."""
    return str(number_format(count, use_l10n=True, force_grouping=True))


def percent(count: int, of: int | None) -> str:
    """ "2.5 %", with one digit; a dash where there is nothing to compare with."""
    if not of:
        return "–"
    # Rounded before it is written: writing cuts off.
    share = round(100 * count / of, 1)
    return _("%(number)s %%") % {"number": number_format(share, decimal_pos=1)}


def days(first: date, last: date) -> str:
    """ "Mon 2 Nov 2026", from such a day to another, or the name of a whole month."""
    if first.day == 1 and last == first.replace(day=monthrange(first.year, first.month)[1]):
        return str(date_format(first, "F Y"))
    named = {"first": date_format(first, "D j M Y"), "last": date_format(last, "D j M Y")}
    return _("%(first)s to %(last)s") % named if last > first else named["first"]


def moment(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """ "today 14:07", "Thursday 11:20" within a week ahead, "Mon 30 Nov, 11:20" otherwise."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    named = {"time": date_format(local, "H:i")}
    days = (local.date() - today).days
    if days == 0:
        return _("today %(time)s") % named
    if days == 1:
        return _("tomorrow %(time)s") % named
    if days == -1:
        return _("yesterday %(time)s") % named
    if 0 < days < 7:
        return str(date_format(local, "l H:i"))
    same_year = local.year == today.year
    return str(date_format(local, "D j M, H:i" if same_year else "D j M Y, H:i"))


def clock(at: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Only "14:07" for today, the day as well for every other."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return str(date_format(local, "H:i"))
    return moment(at, now, zone)


def on_day(day: date, today: date) -> str:
    """ "today", "tomorrow", "on Tuesday" within a week ahead, "on Mon 30 Nov" otherwise."""
    days = (day - today).days
    if days == 0:
        return _("today")
    if days == 1:
        return _("tomorrow")
    pattern = "l" if 0 < days < 7 else "D j M" if day.year == today.year else "D j M Y"
    return _("on %(day)s") % {"day": date_format(day, pattern)}


def short_address(address: str) -> str:
    """ "ana@…": enough to know who, not enough to read over a shoulder."""
    return address.partition("@")[0] + "@…"


def plan(
    by_day: Mapping[date, int], finishes: datetime | None, now: datetime, zone: ZoneInfo
) -> str:
    """ "500 today, 500 on Tuesday, 200 on Wednesday; the last one leaves Wednesday 11:20." """
    if not by_day:
        return _("Nothing can leave as things stand.")
    sentence = ", ".join(_days(by_day, now.astimezone(zone).date()))
    if finishes is None:
        return sentence + "."
    named = {"days": sentence, "at": moment(finishes, now, zone)}
    return _("%(days)s; the last one leaves %(at)s.") % named


def _days(by_day: Mapping[date, int], today: date) -> list[str]:
    days = sorted(by_day)
    one_by_one = days if len(days) <= NAMED_DAYS else days[: NAMED_DAYS - 1]
    parts = [
        _("%(count)s %(day)s") % {"count": number(by_day[day]), "day": on_day(day, today)}
        for day in one_by_one
    ]
    rest = days[len(one_by_one) :]
    if rest:
        named = {"count": number(sum(by_day[day] for day in rest)), "days": number(len(rest))}
        parts.append(
            ngettext(
                "%(count)s on %(days)s further day", "%(count)s on %(days)s further days", len(rest)
            )
            % named
        )
    return parts
