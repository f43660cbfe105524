"""Dovecot from Debian's packages: IMAP and POP over TLS, with the practice Gmail's accounts.

An access token is judged by the practice Gmail's introspection endpoint, an app password by a list
of them. It also judges the logins of Postfix, over a socket.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.ports import find_free
from tests.practice_gmail import PracticeGmail
from tests.system.packages import demand
from tests.system.private_server import TRIES, PortTaken, PrivateServer

# Who owns the mail: a user that may do nothing else.
MAIL_OWNER = "nobody"
SENT = "[Gmail]/Messages envoyés"
ALL_MAIL = "[Gmail]/All Mail"
JUNK = "[Gmail]/Spam"
TRASH = "[Gmail]/Corbeille"
DRAFTS = "[Gmail]/Brouillons"

_CONFIGURATION = """
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
instance_name = daypost-{imap_port}
log_path = /dev/stderr

ssl = required
ssl_min_protocol = TLSv1.2
ssl_cert = <{practice}/server.pem
ssl_key = <{practice}/server.key

auth_mechanisms = plain login xoauth2 oauthbearer
# Refused logins are what some tests are about; they need not wait for them.
auth_failure_delay = 0
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {folder}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  # None: for administrators, who ask without logging in.
  mechanisms = plain login none
  args = scheme=PLAIN {folder}/app-passwords
}}
userdb {{
  driver = static
  args = uid={owner} gid={group} home={folder}/mail/%u
}}
first_valid_uid = 1
# As many as Gmail allows.
mail_max_userip_connections = 15

mail_location = maildir:~/Maildir
namespace inbox {{
  inbox = yes
  separator = /
  mailbox "{sent}" {{
    special_use = \\Sent
    auto = create
  }}
  mailbox "{all_mail}" {{
    special_use = \\All
    auto = create
  }}
  mailbox "{junk}" {{
    special_use = \\Junk
    auto = create
  }}
  mailbox "{trash}" {{
    special_use = \\Trash
    auto = create
  }}
  mailbox "{drafts}" {{
    special_use = \\Drafts
    auto = create
  }}
}}

service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {imap_port}
    ssl = yes
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {pop_port}
    ssl = yes
  }}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service auth {{
  unix_listener {folder}/sasl {{
    mode = 0666
  }}
}}
"""

_OAUTH2 = """
introspection_mode = post
introspection_url = http://{client_id}:{client_secret}@127.0.0.1:{port}/introspect
username_attribute = email
active_attribute = active
active_value = true
scope = https://mail.google.com/
"""


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

    def doveadm(self, *arguments: str, content: bytes = b"") -> str:
        """Run an administrator's command on this instance; what it printed."""
        done = subprocess.run(
            ["/usr/bin/doveadm", "-c", str(self._configuration), *arguments],
            input=content,
            capture_output=True,
            check=False,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def put(self, address: str, folder: str, content: bytes) -> None:
        """File a message for `address`."""
        self.doveadm("save", "-u", address, "-m", folder, content=content)

    def end_sessions(self, service: str) -> None:
        """Close every live session of `service`, imap or pop3, with a word of farewell."""
        # A session a line: user, service, process, address of the client.
        for line in self.doveadm("who", "-1").splitlines()[1:]:
            _, its_service, process, _ = line.split()
            if its_service == service:
                os.kill(int(process), signal.SIGTERM)

    def stop(self) -> None:
        self._server.stop()

    def _write_configuration(self, gmail: PracticeGmail) -> None:
        owner = pwd.getpwnam(MAIL_OWNER)
        mail = self.folder / "mail"
        mail.mkdir()
        os.chown(mail, owner.pw_uid, owner.pw_gid)
        self._configuration.write_text(
            _CONFIGURATION.format(
                folder=self.folder,
                practice=gmail.directory,
                imap_port=self.imap_port,
                pop_port=self.pop_port,
                owner=owner.pw_uid,
                group=owner.pw_gid,
                sent=SENT,
                all_mail=ALL_MAIL,
                junk=JUNK,
                trash=TRASH,
                drafts=DRAFTS,
            )
        )
        self._keep_secret(
            "oauth2.conf",
            _OAUTH2.format(
                client_id=gmail.env["GOOGLE_CLIENT_ID"],
                client_secret=gmail.env["GOOGLE_CLIENT_SECRET"],
                port=gmail.port,
            ),
        )
        passwords = "".join(f"{each}:{gmail.app_password(each)}\n" for each in self.addresses)
        self._keep_secret("app-passwords", passwords)

    def _keep_secret(self, name: str, text: str) -> None:
        """For Dovecot's authentication process alone."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)
        shutil.chown(path, "dovecot")


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
