"""Debian's packages of the real mail servers; `python -m tests.system.packages` installs them.

Only the programs are wanted. Each test run starts private instances of its own, so that nothing
here needs the services that the packages bring, and those are kept from starting.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("dovecot-core", "dovecot-imapd", "dovecot-pop3d", "postfix")
PROGRAMS = (
    Path("/usr/sbin/dovecot"),
    Path("/usr/lib/dovecot/imap"),
    Path("/usr/lib/dovecot/pop3"),
    Path("/usr/sbin/postfix"),
)
ADVICE = (
    "The system tests start Dovecot and Postfix, which takes root and their packages. "
    f"As root: apt-get update && apt-get install {' '.join(PACKAGES)}, then make test-system."
)
# Asked before a package starts its service; 101 forbids it.
# https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt
POLICY = Path("/usr/sbin/policy-rc.d")


class ServersMissing(Exception):
    """Dovecot or Postfix cannot be started here; the text says what to do."""

    def __init__(self) -> None:
        super().__init__(ADVICE)


def ensure() -> None:
    """Install what is missing. Raises ServersMissing where that cannot be done."""
    if os.geteuid() != 0:
        raise ServersMissing
    if not installed() and shutil.which("apt-get"):
        _say("Installing Debian's Dovecot and Postfix.")
        with _services_kept_from_starting():
            _run("apt-get", "update", "--quiet")
            _run("apt-get", "install", "--quiet", "--yes", "--no-install-recommends", *PACKAGES)
    demand()


def demand() -> None:
    """Raises ServersMissing unless both can be started."""
    if os.geteuid() != 0 or not installed():
        raise ServersMissing


def installed() -> bool:
    return all(program.exists() for program in PROGRAMS)


@contextmanager
def _services_kept_from_starting() -> Iterator[None]:
    if POLICY.exists():  # the machine's own rule, whatever it is
        yield
        return
    POLICY.write_text("#!/bin/sh\nexit 101\n")
    POLICY.chmod(0o755)
    try:
        yield
    finally:
        POLICY.unlink()


def _run(*command: str) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, env=environment)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    try:
        ensure()
    except ServersMissing as missing:
        _say(str(missing))
        sys.exit(1)
