"""Why a clock is not believed, in words for a person."""

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.clock.rules import Trouble

if TYPE_CHECKING:
    from accounts.models import ClockCheck, GmailAccount


def reason(check: "ClockCheck", others: list[str]) -> str:
    """What was found and what follows, in two or three sentences.

    `others`: the machines that send through the account too, and whose clock is believed.
    """
    sure = _("Nothing is sent until the time is sure, or Gmail’s limit could be passed by mistake.")
    follows = _("It goes on by itself once the clock is right, or when an owner says that it is.")
    if others and check.trouble != Trouble.UNASKED:
        follows = _(
            "%(others)s goes by another clock, and only one can be right: set the clock of "
            "%(host)s, or stop Daypost there. A day after that it is waited for no more."
        ) % {"others": ", ".join(others), "host": check.host}
    return f"{finding(check)} {sure} {follows}"


def finding(check: "ClockCheck") -> str:
    """What is wrong with the clock, in one sentence."""
    known = check.known
    by = known.doubt.by if known.doubt else timedelta()
    named = {"host": check.host, "by": span(by), "server": server(check.account)}
    match known.doubt.trouble if known.doubt else None:
        case Trouble.JUMPED if by > timedelta():
            return _("The clock of %(host)s jumped ahead by %(by)s.") % named
        case Trouble.JUMPED:
            return _("The clock of %(host)s jumped back by %(by)s.") % named
        case Trouble.DIFFERS if by > timedelta():
            return _("The clock of %(host)s is %(by)s ahead of %(server)s’s.") % named
        case Trouble.DIFFERS:
            return _("The clock of %(host)s is %(by)s behind %(server)s’s.") % named
        case Trouble.LEDGER_LATER:
            return (
                _("The clock of %(host)s is %(by)s behind the newest mail that was sent.") % named
            )
        case _:
            return (
                _(
                    "%(host)s has been started anew, and %(server)s could not be asked yet whether "
                    "its clock is right."
                )
                % named
            )


def server(account: "GmailAccount") -> str:
    return _("the practice Gmail") if account.practice else "Google"


def span(by: timedelta) -> str:
    """How long, in the one unit that fits: "25 hours", "3 days", "40 seconds"."""
    seconds = round(abs(by).total_seconds())
    if seconds < 120:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds < 2 * 3600:
        return _("%(n)d minutes") % {"n": round(seconds / 60)}
    if seconds < 50 * 3600:
        return _("%(n)d hours") % {"n": round(seconds / 3600)}
    return _("%(n)s days") % {"n": f"{round(seconds / 86400):,}"}
