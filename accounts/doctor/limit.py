"""What the account may still send, and whether it rests: read from its own rows."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import ledger, quota
from accounts.doctor.check import Check, Name, is_needed
from accounts.models import GmailAccount


def check(account: GmailAccount, now: datetime) -> Check:
    """Not ok while nothing may leave."""
    uses = ledger.window(account, now)
    in_force = ledger.limits(account).in_force(now)
    used = quota.used(uses, now)
    detail = _("%(used)s of %(limit)s messages used in the last 24 hours.") % {
        "used": used,
        "limit": in_force,
    }
    until = resting_until(account, now)
    if until is not None:
        detail += " " + _("It rests: %(reason)s") % {"reason": account.resting_reason}
    elif used >= in_force:
        until = quota.free_at(uses, in_force, now)
    ok = until is None and used < in_force
    return Check(Name.LIMIT, ok, is_needed(Name.LIMIT, account), detail, _wait(account, ok, until))


def resting_until(account: GmailAccount, now: datetime) -> datetime | None:
    """None for an account that does not rest at `now`."""
    until = account.resting_until
    return until if until is not None and until > now else None


def _wait(account: GmailAccount, ok: bool, until: datetime | None) -> str:
    if ok:
        return ""
    if until is None:
        return _("Raise the limit on the account's page.")
    local = until.astimezone(ZoneInfo(account.time_zone))
    named = {"at": date_format(local, "D j M, H:i"), "zone": account.time_zone}
    return _("Wait: it goes on by itself at %(at)s (%(zone)s).") % named
