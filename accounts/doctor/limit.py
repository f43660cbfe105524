"""What the account may still send, and whether it rests: read from its own rows."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import halts, ledger, limit_words, quota, rest_words, standing
from accounts.doctor.check import Check, Name, is_needed
from accounts.models import GmailAccount


def check(account: GmailAccount, now: datetime) -> Check:
    """Not ok while nothing may leave."""
    uses = ledger.window(account, now)
    limits = ledger.limits(account)
    in_force = limits.in_force(now)
    used = quota.used(uses, now)
    detail = _("%(used)s of %(limit)s messages used in the last 24 hours.") % {
        "used": used,
        "limit": in_force,
    }
    why = limit_words.why(limits, now, ZoneInfo(account.time_zone))
    detail += f" {why}" if why else ""
    resting = standing.is_resting(account, now)
    halt = halts.of(account)
    if halt is not None:
        detail += f" {halt.reason}"
        remedy = _("See the account's page for what ends it.")
        return Check(Name.LIMIT, False, is_needed(Name.LIMIT, account), detail, remedy)
    if resting:
        until = account.resting_until
        detail += " " + _("It rests: %(why)s") % {"why": rest_words.why(account.resting_reason)}
    else:
        until = limits.free_at(uses, now)
    ok = not resting and used < in_force
    return Check(Name.LIMIT, ok, is_needed(Name.LIMIT, account), detail, _wait(account, ok, until))


def _wait(account: GmailAccount, ok: bool, until: datetime | None) -> str:
    if ok:
        return ""
    if until is None:
        return _("Raise the limit on the account's page.")
    local = until.astimezone(ZoneInfo(account.time_zone))
    named = {"at": date_format(local, "D j M, H:i"), "zone": account.time_zone}
    return _("Wait: it goes on by itself at %(at)s (%(zone)s).") % named
