"""Postfix from Debian's packages: submission over TLS and STARTTLS, for who logs in at Dovecot.

It takes mail for any address in the world and files all of it here: its table of services holds
nothing that could carry a message off the machine.
"""

import os
import pwd
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.ports import find_free
from tests.practice_gmail import PracticeGmail
from tests.system.dovecot import MAIL_OWNER, Dovecot
from tests.system.packages import demand
from tests.system.private_server import TRIES, PortTaken, PrivateServer

# What Gmail's EHLO answer says, in bytes.
SIZE_LIMIT = 35_882_577
DELIVERED_SECONDS = 30

_MAIN = """
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = smtp.practice.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
alias_maps =
alias_database =
smtputf8_enable = yes
message_size_limit = {size_limit}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
biff = no

smtpd_tls_security_level = encrypt
smtpd_tls_mandatory_protocols = >=TLSv1.2
smtpd_tls_chain_files = {practice}/server.key, {practice}/server.pem
smtpd_tls_auth_only = yes

smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {sasl}
smtpd_sasl_security_options = noanonymous
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_recipient_restrictions =
  check_recipient_access regexp:{folder}/recipients, permit_sasl_authenticated, reject
# Headers are kept as they came, for this machine's own clients too.
local_header_rewrite_clients =
# Refusals are what some tests are about; they need not wait for them.
smtpd_error_sleep_time = 0

virtual_mailbox_domains = static:all
virtual_mailbox_base = {mail}
virtual_mailbox_maps = regexp:{folder}/mailboxes
virtual_uid_maps = static:{owner}
virtual_gid_maps = static:{group}
virtual_minimum_uid = 1
default_transport = error:nothing leaves this machine
"""

# A service of Postfix a line: no smtp(8) and no relay among them.
_MASTER = """
{ssl_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
{starttls_port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""

# As Gmail refuses an address that is not there.
_RECIPIENTS = """
/^nobody-/ 550 5.1.1 The email account that you tried to reach does not exist.
"""

# Dovecot's users have their INBOX; everybody else in the world shares one folder.
_EVERYBODY_ELSE = "/./ everybody-else/Maildir/\n"

# What its log says of a client that comes or goes.
_CLIENT = re.compile(r"postfix/smtpd\[(\d+)\]: (connect|disconnect) from ")


class Postfix:
    """A running one, beside a Dovecot that judges its logins and shows its mail."""

    def __init__(self, folder: Path, gmail: PracticeGmail, dovecot: Dovecot) -> None:
        self.folder = folder
        self.ssl_port = find_free(2)
        self.starttls_port = self.ssl_port + 1
        self._dovecot = dovecot
        self._write_configuration(gmail)
        # Makes the queue. Starting by the same command would put a shell between us and the server.
        self._run("postfix", "-c", str(folder), "check")
        programs = self._run("postconf", "-c", str(folder), "-h", "daemon_directory").strip()
        self._server = PrivateServer(
            [f"{programs}/master", "-c", str(folder), "-s"], folder / "log"
        )
        self._server.wait_until_it_answers([self.ssl_port], Path(gmail.env["GMAIL_CA_FILE"]))

    @property
    def log(self) -> str:
        return self._server.log

    def accepted(self, recipient: str) -> list[bytes]:
        """What was accepted for `recipient`, oldest first, after all of it was filed.

        The envelope was added at its top: Return-Path, X-Original-To and Delivered-To.
        """
        self._wait_until_all_is_filed()
        files = sorted(self._dovecot.folder.glob("mail/*/Maildir/new/*"), key=_age)
        messages = [file.read_bytes().replace(b"\n", b"\r\n") for file in files]
        envelope = f"\r\nX-Original-To: {recipient}\r\n".encode()
        return [each for each in messages if envelope in each.partition(b"\r\nReceived:")[0]]

    def end_sessions(self) -> None:
        """Hang up on every client, without a word."""
        self._server.end(self._processes_with_a_client())

    def stop(self) -> None:
        self._server.stop()

    def _processes_with_a_client(self) -> set[int]:
        found = set()
        for process, event in _CLIENT.findall(self.log):
            (found.add if event == "connect" else found.discard)(int(process))
        return found

    def _wait_until_all_is_filed(self) -> None:
        queue = self.folder / "queue"
        deadline = time.monotonic() + DELIVERED_SECONDS
        while any(file for each in ("incoming", "active") for file in (queue / each).rglob("*")):
            assert time.monotonic() < deadline, f"Mail stays in the queue:\n{self.log}"
            time.sleep(0.02)
        assert not [file for file in (queue / "deferred").rglob("*") if file.is_file()], self.log

    def _run(self, program: str, *arguments: str) -> str:
        done = subprocess.run(
            [f"/usr/sbin/{program}", *arguments], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def _write_configuration(self, gmail: PracticeGmail) -> None:
        owner = pwd.getpwnam(MAIL_OWNER)
        (self.folder / "queue").mkdir()
        data = self.folder / "data"
        data.mkdir()
        postfix = pwd.getpwnam("postfix")
        os.chown(data, postfix.pw_uid, postfix.pw_gid)
        known = [f"/^{re.escape(each)}$/ {each}/Maildir/\n" for each in self._dovecot.addresses]
        files = {
            "main.cf": _MAIN.format(
                folder=self.folder,
                practice=gmail.directory,
                sasl=self._dovecot.sasl,
                mail=self._dovecot.folder / "mail",
                owner=owner.pw_uid,
                group=owner.pw_gid,
                size_limit=SIZE_LIMIT,
            ),
            "master.cf": _MASTER.format(ssl_port=self.ssl_port, starttls_port=self.starttls_port),
            "recipients": _RECIPIENTS,
            "mailboxes": "".join(known) + _EVERYBODY_ELSE,
        }
        for name, text in files.items():
            (self.folder / name).write_text(text.lstrip())


def _age(file: Path) -> float:
    return file.stat().st_mtime


@contextmanager
def postfix(folder: Path, gmail: PracticeGmail, dovecot: Dovecot) -> Iterator[Postfix]:
    """A Postfix on free ports, in `folder`, until the end of the block."""
    server = _start(folder, gmail, dovecot)
    try:
        yield server
    finally:
        server.stop()


def _start(folder: Path, gmail: PracticeGmail, dovecot: Dovecot) -> Postfix:
    demand()
    for attempt in range(TRIES):
        own = folder / f"postfix-{attempt}"
        own.mkdir()
        try:
            return Postfix(own, gmail, dovecot)
        except PortTaken:
            continue
    raise RuntimeError("No free ports were found for Postfix.")
