"""Where clocks are read: this machine's two, and that of an account's server."""

import socket
import time
from functools import cache
from pathlib import Path

from django.utils import timezone

from accounts.clock.rules import Answer, Reading
from accounts.endpoints import servers_for
from accounts.models import GmailAccount
from gmail import oauth
from gmail.errors import Unreachable

# Google answers in one second or two.
ASK_SECONDS = 6

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# Counts suspend. On macOS the monotonic clock of this call does so too.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def read() -> Reading:
    """The clocks of this machine, now."""
    return Reading(timezone.now(), boottime())


def boottime() -> float:
    """Seconds since this machine was started, suspend included."""
    return time.clock_gettime(_CLOCK)


@cache
def host() -> str:
    return socket.gethostname()[:100]


@cache
def machine() -> str:
    """This boot of this machine.

    Containers of one kernel share boot and clocks. Where the kernel tells no boot, on macOS, it is
    the host's name; a new boot is then known by counting less than the one before.
    """
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return host()


def ask(account: GmailAccount) -> Answer | None:
    """What time its server has; None when it does not say. Never inside a transaction."""
    asked = timezone.now()
    try:
        theirs = oauth.google_time(servers_for(account), ASK_SECONDS)
    except Unreachable:
        return None
    return Answer(theirs, asked, timezone.now())
