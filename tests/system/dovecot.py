"""Dovecot from Debian's packages: IMAP and POP over TLS, with the practice Gmail's accounts.

An access token is judged by the practice Gmail's introspection endpoint, an app password by a list
of them. It also judges the logins of Postfix, over a socket.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.ports import find_free
from tests.practice_gmail import PracticeGmail
from tests.system.dovecot_configuration import configuration
from tests.system.packages import demand
from tests.system.private_server import TRIES, PortTaken, PrivateServer

# Who owns the mail: a user that may do nothing else.
MAIL_OWNER = "nobody"


class Dovecot:
    """A running one. `sasl` is the socket at which Postfix asks."""

    def __init__(self, folder: Path, gmail: PracticeGmail, addresses: Sequence[str]) -> None:
        self.folder = folder
        self.addresses = addresses
        self.imap_port = find_free(2)
        self.pop_port = self.imap_port + 1
        self.sasl = folder / "sasl"
        self._configuration = folder / "dovecot.conf"
        self._write_configuration(gmail)
        self._server = PrivateServer(
            ["/usr/sbin/dovecot", "-F", "-c", str(self._configuration)], folder / "log"
        )
        ports = (self.imap_port, self.pop_port)
        self._server.wait_until_it_answers(ports, Path(gmail.env["GMAIL_CA_FILE"]))

    @property
    def log(self) -> str:
        return self._server.log

    def end_sessions(self, service: str) -> None:
        """Close every live session of `service`, imap or pop3, with a word of farewell."""
        # A session a line: user, service, process, address of the client.
        who = ["/usr/bin/doveadm", "-c", str(self._configuration), "who", "-1"]
        lines = subprocess.run(who, capture_output=True, check=True).stdout.decode().splitlines()
        sessions = [line.split() for line in lines[1:]]
        self._server.end(int(process) for _, its, process, _ in sessions if its == service)

    def stop(self) -> None:
        self._server.stop()

    def _write_configuration(self, gmail: PracticeGmail) -> None:
        owner = pwd.getpwnam(MAIL_OWNER)
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, owner.pw_uid, owner.pw_gid)
        files = configuration(
            _version(),
            folder=self.folder,
            practice=gmail.directory,
            imap_port=self.imap_port,
            pop_port=self.pop_port,
            owner=owner.pw_uid,
            group=owner.pw_gid,
            client_id=gmail.env["GOOGLE_CLIENT_ID"],
            client_secret=gmail.env["GOOGLE_CLIENT_SECRET"],
            practice_port=gmail.port,
        )
        passwords = [f"{each}:{gmail.app_password(each)}\n" for each in self.addresses]
        for name, text in {**files, "app-passwords": "".join(passwords)}.items():
            self._keep_secret(name, text)

    def _keep_secret(self, name: str, text: str) -> None:
        """For Dovecot's authentication process alone."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        shutil.chown(path, "dovecot")


def _version() -> str:
    done = subprocess.run(["/usr/sbin/dovecot", "--version"], capture_output=True, check=True)
    return done.stdout.decode()


@contextmanager
def dovecot(folder: Path, gmail: PracticeGmail, addresses: Sequence[str]) -> Iterator[Dovecot]:
    """A Dovecot on free ports, in `folder`, with these of the practice Gmail's accounts."""
    server = _start(folder, gmail, addresses)
    try:
        yield server
    finally:
        server.stop()


def _start(folder: Path, gmail: PracticeGmail, addresses: Sequence[str]) -> Dovecot:
    demand()
    for attempt in range(TRIES):
        own = folder / f"dovecot-{attempt}"
        own.mkdir()
        try:
            return Dovecot(own, gmail, addresses)
        except PortTaken:
            continue
    raise RuntimeError("No free ports were found for Dovecot.")
