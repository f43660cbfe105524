"""What an account may send in any 24 hours, why, and how that grows: in words for a person."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import GmailAccount
from accounts.quota import DAY, Growth, Holder, Limits

# What Google allows in any 24 hours (https://support.google.com/a/answer/166852).
PERSONAL, WORKSPACE = 500, 2000
# A plan is told as far as so many steps; then its end.
TOLD = 8


@dataclass(frozen=True)
class Step:
    """From when on how much may be sent in any 24 hours; no `limit` where steps are left out."""

    when: str
    limit: int | None = None


@dataclass(frozen=True)
class Card:
    """An account's limits as its page tells them: what is in force, why, and where it comes from.

    `hint` is what its address says about what Gmail allows it; empty where that is set.
    """

    in_force: int
    why: str
    hint: str
    learned: str
    may_forget: bool
    ramp: str
    may_end_ramp: bool
    plan: list[Step]


def card(account: GmailAccount, limits: Limits, now: datetime) -> Card:
    zone = ZoneInfo(account.time_zone)
    return Card(
        in_force=limits.in_force(now),
        why=why(limits, now, zone) or _("That is what is set below."),
        hint="" if account.practice else _hint(account),
        learned=_learned(limits, now, zone),
        may_forget=_holds(limits.learned, limits, now),
        ramp=_ramp(limits, now, zone),
        may_end_ramp=_holds(limits.ramp, limits, now),
        plan=plan(limits, now, zone),
    )


def _holds(growth: Growth | None, limits: Limits, now: datetime) -> bool:
    return growth is not None and growth.at(now, limits.limit) < limits.limit


def _hint(account: GmailAccount) -> str:
    if account.is_personal and account.limit > PERSONAL:
        return _("Gmail allows a personal account %(limit)s in any 24 hours: set no more.") % {
            "limit": number_format(PERSONAL)
        }
    if not account.is_personal and account.limit == PERSONAL:
        return _(
            "%(address)s is of Google Workspace, where Gmail allows %(limit)s in any 24 hours once "
            "its trial is over and paid for. Set that below if it is so."
        ) % {"address": account.address, "limit": number_format(WORKSPACE)}
    return ""


def why(limits: Limits, now: datetime, zone: ZoneInfo) -> str:
    """Why less than what is set is in force, and from when on more; empty when nothing is less."""
    match limits.holder(now):
        case Holder.LEARNED if limits.learned is not None:
            reason = _("Gmail refused more than %(first)s on %(day)s.") % {
                "first": number_format(limits.learned.first),
                "day": _day(limits.learned, zone),
            }
        case Holder.RAMP:
            reason = _("The mailbox is new here, so it begins with less.")
        case _:
            return ""
    return f"{reason} {_growth(limits, now, zone)}"


def _growth(limits: Limits, now: datetime, zone: ZoneInfo) -> str:
    """How it goes on; what waits for the first message of a campaign has no dates yet."""
    steps = limits.begun(now).steps(now)[1:]
    (next_at, more), (full_at, full) = steps[0], steps[-1]
    named = {"more": number_format(more), "full": number_format(full)}
    if limits.grows_at(now) is None:
        days = (full_at - now) // DAY
        sentence = ngettext(
            "It grows once a campaign sends, to %(full)s after %(days)s day.",
            "It grows once a campaign sends, to %(full)s after %(days)s days.",
            days,
        )
        return sentence % {**named, "days": days}
    named |= {"next_at": _moment(next_at, zone), "full_at": _moment(full_at, zone)}
    if len(steps) == 1:
        return _("It will be %(full)s from %(full_at)s on.") % named
    return _("It grows to %(more)s at %(next_at)s, and to %(full)s at %(full_at)s.") % named


def plan(limits: Limits, now: datetime, zone: ZoneInfo) -> list[Step]:
    """How it grows from now on, step by step; empty when it does not."""
    steps = limits.begun(now).steps(now)
    if len(steps) == 1:
        return []
    begun = limits.grows_at(now) is not None
    told = [Step(_when(at, now, zone, begun), limit) for at, limit in steps]
    return told if len(told) <= TOLD else [*told[: TOLD - 2], Step(_("and so on")), told[-1]]


def _when(at: datetime, now: datetime, zone: ZoneInfo, begun: bool) -> str:
    if begun:
        return _("now") if at == now else _moment(at, zone)
    days = (at - now) // DAY
    if days == 0:
        return _("until a campaign sends, and the first day")
    return ngettext("%(days)s day later", "%(days)s days later", days) % {"days": days}


def _learned(limits: Limits, now: datetime, zone: ZoneInfo) -> str:
    """What refusals have taught, and what is left of it."""
    taught = limits.learned
    if taught is None:
        return _("nothing: Gmail has not refused below what is set")
    if not _holds(taught, limits, now):
        sentence = _("forgotten: Gmail refused more than %(first)s on %(day)s")
    else:
        sentence = _(
            "%(now)s: Gmail refused more than %(first)s on %(day)s, which is forgotten by "
            "%(percent)s %% a day"
        )
    return sentence % _named(taught, limits, now, zone)


def _ramp(limits: Limits, now: datetime, zone: ZoneInfo) -> str:
    """Where the plan for a new mailbox stands."""
    plan = limits.ramp
    if plan is None:
        return _("off: all that is set, from the first day on")
    if plan.began_at is None:
        sentence = _(
            "%(first)s on the first day that a campaign sends, then %(percent)s %% more a day"
        )
    elif not _holds(plan, limits, now):
        sentence = _("done: it began with %(first)s on %(day)s")
    else:
        sentence = _(
            "%(now)s: it began with %(first)s on %(day)s, and grows by %(percent)s %% a day"
        )
    return sentence % _named(plan, limits, now, zone)


def _named(growth: Growth, limits: Limits, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    return {
        "first": number_format(growth.first),
        "now": number_format(growth.at(now, limits.limit)),
        "percent": number_format(growth.percent),
        "day": _day(growth, zone),
    }


def _day(growth: Growth, zone: ZoneInfo) -> str:
    return date_format(growth.began_at.astimezone(zone), "l j F") if growth.began_at else ""


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return str(date_format(at.astimezone(zone), "D j M, H:i"))
