# mypy: allow-untyped-calls
"""``python -m practice``: one process that stands in for Google's servers."""

import argparse
import fcntl
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from twisted.internet import reactor as installed_reactor
from twisted.internet.error import CannotListenError
from twisted.internet.ssl import CertificateOptions, TLSVersion
from twisted.internet.task import LoopingCall
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)
from twisted.web.server import Site

from practice import imap, oauth_pages, pop
from practice.accounts import without_spaces
from practice.addresses import AddressRefused, check_address
from practice.certificates import ensure_certificates
from practice.control import Control
from practice.folder_pages import FolderPages
from practice.mailbox_pages import MailboxPages
from practice.oauth_pages import OAuthPages
from practice.private_files import FileDamaged, make_private_directory, write_private
from practice.service import NamedAccount, Service
from practice.smtp import SessionFactory
from practice.web import Root

HOST = "127.0.0.1"
HTTP, SMTP_SSL, SMTP_STARTTLS, IMAP, POP = range(5)
IDLE_TIMEOUT = 300.0
TICK = 0.5


def main() -> int:
    """Serve until SIGTERM or SIGINT. Exit status 0, or 1 with one sentence on standard error."""
    options = _parser().parse_args()
    directory: Path = options.dir.absolute()
    try:
        make_private_directory(directory)
        lock = _lock(directory)
        ready = directory / "ready"
        ready.unlink(missing_ok=True)
        service = Service(
            directory,
            accounts=options.account,
            limit=options.limit,
            sent_name=options.sent_name,
        )
        with closing(service):
            serve(service, directory, options.port, options.idle_timeout)
    except CannotListenError as err:
        return _give_up(f"Port {err.port} is taken. Choose another first port with --port.")
    except BlockingIOError:
        return _give_up(f"Another practice Gmail is running on {directory}.")
    except (FileDamaged, OSError) as err:
        return _give_up(str(err))
    os.close(lock)
    return 0


def serve(service: Service, directory: Path, port: int, idle_timeout: float) -> None:
    """Listen, say that all is ready, and return when stopped. Raises CannotListenError."""
    # The module is the reactor itself, installed on import, and has no type of its own.
    reactor: Any = installed_reactor
    _log_warnings()
    tls = _server_context(directory)
    oauth = OAuthPages(service.oauth, service.accounts)
    routes = [
        *oauth.routes(),
        *Control(service).routes(),
        *MailboxPages(service).routes(),
        *FolderPages(service).routes(),
    ]
    site = Site(Root(routes, service.clock))
    site.noisy = False
    implicit = SessionFactory(service, reactor, idle_timeout)
    starttls = SessionFactory(service, reactor, idle_timeout, starttls=tls)
    reactor.listenTCP(port + HTTP, site, interface=HOST)
    reactor.listenSSL(port + SMTP_SSL, implicit, tls, interface=HOST)
    reactor.listenTCP(port + SMTP_STARTTLS, starttls, interface=HOST)
    for offset, protocol in ((IMAP, imap), (POP, pop)):
        sessions = protocol.SessionFactory(service, reactor, idle_timeout)
        reactor.listenSSL(port + offset, sessions, tls, interface=HOST)
    LoopingCall(_let_time_pass, service).start(TICK, now=False)
    write_private(directory / "env", environment(service, directory, port))
    reactor.callWhenRunning(_announce, directory / "ready", port)
    reactor.addSystemEventTrigger("before", "shutdown", (directory / "ready").unlink, True)
    reactor.run()


def environment(service: Service, directory: Path, port: int) -> str:
    """The settings with which a client of Google's talks to this process instead."""
    web = f"http://{HOST}:{port + HTTP}"
    settings = {
        "GOOGLE_CLIENT_ID": service.oauth.client.id,
        "GOOGLE_CLIENT_SECRET": service.oauth.client.secret,
        "GOOGLE_AUTH_URI": web + oauth_pages.AUTHORIZE,
        "GOOGLE_TOKEN_URI": web + oauth_pages.TOKEN,
        "GOOGLE_USERINFO_URI": web + oauth_pages.USERINFO,
        "GOOGLE_REVOKE_URI": web + oauth_pages.REVOKE,
        "GMAIL_SMTP_HOST": HOST,
        "GMAIL_SMTP_SSL_PORT": port + SMTP_SSL,
        "GMAIL_SMTP_STARTTLS_PORT": port + SMTP_STARTTLS,
        "GMAIL_IMAP_HOST": HOST,
        "GMAIL_IMAP_PORT": port + IMAP,
        "GMAIL_POP_HOST": HOST,
        "GMAIL_POP_PORT": port + POP,
        "GMAIL_CA_FILE": directory / "ca.pem",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def _let_time_pass(service: Service) -> None:
    """What happens without anybody asking: mail arrives, sessions end."""
    service.post.deliver()
    service.sessions.look_at_the_clock()


def _announce(ready: Path, port: int) -> None:
    write_private(ready, f"{os.getpid()}\n")
    sys.stdout.write(f"The practice Gmail is ready: http://{HOST}:{port}/\n")
    sys.stdout.flush()


def _server_context(directory: Path) -> CertificateOptions:
    pair = ensure_certificates(directory)
    # Twisted's types still name pyOpenSSL's classes, which pyOpenSSL itself has deprecated.
    key: Any = pair.key
    certificate: Any = pair.certificate
    return CertificateOptions(
        privateKey=key,
        certificate=certificate,
        insecurelyLowerMinimumTo=TLSVersion.TLSv1_2,
    )


def _lock(directory: Path) -> int:
    """Two processes must not write one ledger. Raises BlockingIOError when another one does."""
    lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _log_warnings() -> None:
    # As with the reactor, mypy does not see which class provides which of zope's interfaces.
    predicate: Any = LogLevelFilterPredicate(defaultLogLevel=LogLevel.warn)
    everything: Any = textFileLogObserver(sys.stderr)
    observer: Any = FilteringLogObserver(everything, [predicate])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)


def _give_up(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m practice",
        description="A stand-in Gmail on this machine. Nothing that is sent to it leaves.",
    )
    parser.add_argument("--dir", type=Path, required=True, help="where everything is kept")
    parser.add_argument(
        "--port",
        type=_port,
        default=8025,
        help="web and OAuth; the next ones are SMTP with TLS, SMTP with STARTTLS, IMAP and POP",
    )
    parser.add_argument(
        "--account",
        type=_account,
        action="append",
        default=[],
        metavar="EMAIL[:APP-PASSWORD]",
        help="an account to add; may be given more than once",
    )
    parser.add_argument(
        "--limit",
        type=_limit,
        help="recipients that an account may send to in any 24 hours; 500 on the first start, "
        "then what was set last",
    )
    parser.add_argument("--sent-name", default="[Gmail]/Sent Mail", help="name of the Sent folder")
    parser.add_argument(
        "--idle-timeout",
        type=_seconds,
        default=IDLE_TIMEOUT,
        metavar="SECONDS",
        help="after which a silent connection is closed; 300 by default",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65_535 - POP:
        raise argparse.ArgumentTypeError(f"{text} is not a port between 1 and {65_535 - POP}.")
    return int(text)


def _limit(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a whole number.")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError as err:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds.") from err
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError("The idle time-out lies between 0 and 86400 seconds.")
    return seconds


def _account(text: str) -> NamedAccount:
    email, _, app_password = text.partition(":")
    try:
        check_address(email)
    except AddressRefused as err:
        raise argparse.ArgumentTypeError(f"{email} is not an e-mail address.") from err
    return NamedAccount(email, without_spaces(app_password) or None)


if __name__ == "__main__":
    sys.exit(main())
