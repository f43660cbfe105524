"""Daypost beside django-post_office and django-mailer, in the same faults: `make compare`.

Each gets a PostgreSQL database and a practice Gmail of its own, on this machine alone. What Gmail
accepted is read from the practice Gmail's ledger, which knows none of them; what is left over is
what each says itself. The table goes to docs/comparison.md.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.practice_gmail import PracticeGmail
from tests.services import create_database, postgres

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PAGE = REPOSITORY / "docs" / "comparison.md"
ACCOUNT = "ana@gmail.com"
# No command may take longer, in seconds: one that waits for ever is stuck.
PATIENCE = 300


@dataclass
class System:
    """What is compared, in a folder, a database and a practice Gmail of its own."""

    name: str
    python: Path
    gmail: PracticeGmail
    folder: Path
    database: str
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment = {
            "PATH": os.environ["PATH"],
            "DATABASE_URL": self.database,
            "SSL_CERT_FILE": str(self.gmail.directory / "ca.pem"),
            "ACCOUNT": ACCOUNT,
            "APP_PASSWORD": self.gmail.app_password(ACCOUNT),
            **self.gmail.env,
        }

    def queue(self, count: int) -> None:
        self.run("queue", str(count))

    def command(self, *arguments: str) -> list[str]:
        return [str(self.python), str(HERE / "peer.py"), self.name, *arguments]

    def sender(self) -> list[str]:
        return self.command("send")

    def run(self, *arguments: str) -> str:
        return self.run_command(self.command(*arguments))

    def run_command(self, command: list[str]) -> str:
        done = subprocess.run(
            command,
            cwd=self.place("here"),
            env=self.environment | {"TMPDIR": str(self.place("here"))},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        if done.returncode:
            sys.stderr.write(done.stderr[-2000:])
        return done.stdout

    def start_sender(self, machine: str = "here") -> "subprocess.Popen[bytes]":
        """As on a machine of that name: lock files are its own."""
        return subprocess.Popen(
            self.sender(),
            cwd=self.place(machine),
            env=self.environment | {"TMPDIR": str(self.place(machine))},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def place(self, machine: str) -> Path:
        place = self.folder / machine
        place.mkdir(exist_ok=True)
        return place

    def send(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.run_command(self.sender())

    def wait(self, hours: float) -> None:
        """Neither peer knows of time unless it is told to."""

    def left(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.run("left"))
        return found


class Daypost(System):
    """By its own commands. It stays within the folder, and finds the practice Gmail's CA itself."""

    def __post_init__(self) -> None:
        super().__post_init__()
        del self.environment["SSL_CERT_FILE"]
        self.environment["DAYPOST_DATA_DIR"] = str(self.folder / "var")
        self.environment["PYTHONPATH"] = str(REPOSITORY)

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(REPOSITORY / "manage.py"), *arguments]

    def sender(self) -> list[str]:
        return self.manage("deliver", "--once", "--json")

    def queue(self, count: int) -> None:
        files = {
            "password": "a long enough passphrase\n",
            "app-password": self.environment["APP_PASSWORD"] + "\n",
            "news.html": "<p>Dear friend</p>",
            "people.csv": "Email\n" + "".join(f"person{n}@example.org\n" for n in range(count)),
        }
        for name, text in files.items():
            (self.folder / name).write_text(text)
        file = {name: str(self.folder / name) for name in files}
        commands = [
            ["migrate", "--verbosity", "0"],
            ["create_owner", "owner@example.org", "--password-file", file["password"],
             "--workspace", "Shop", "--postal-address", "1 High Street"],
            ["connect_gmail", ACCOUNT, "--app-password-file", file["app-password"],
             "--smtp", "starttls"],
            ["import_contacts", file["people.csv"], "--list", "All", "--consent", "Asked"],
            ["launch_campaign", "--template", file["news.html"], "--subject", "News",
             "--list", "All", "--account", ACCOUNT, "--pace", "asap"],
        ]  # fmt: skip
        for command in commands:
            self.run_command(self.manage(*command))

    def send(self) -> None:
        super().send()
        self.run_command(self.manage("resolve_doubt", "--once", "--json"))

    def wait(self, hours: float) -> None:
        self.run_command([sys.executable, "-m", "benchmarks.peers.later", str(hours)])

    def left(self) -> dict[str, int]:
        report = json.loads(self.run_command(self.manage("campaign", "1", "--json")))
        counts = report["counts"]
        given_up = counts["refused"] + counts["skipped"] + counts["cancelled"]
        return {
            "waiting": counts["waiting"] + counts["claimed"] + counts["handing_over"],
            "given_up": given_up,
            "in_doubt": counts["in_doubt"],
        }


# --- The faults ------------------------------------------------------------------------------


def killed(system: System) -> int:
    """SIGKILL once Gmail has 60 of 500; then what runs every minute goes on as before."""
    system.queue(500)
    sender = system.start_sender()
    give_up = time.monotonic() + PATIENCE
    while len(system.gmail.ledger()) < 60 and sender.poll() is None and time.monotonic() < give_up:
        time.sleep(0.005)
    with suppress(ProcessLookupError):
        os.killpg(sender.pid, signal.SIGKILL)
    sender.wait()
    for _ in range(3):
        system.wait(hours=0.3)
        system.send()
    return 500


def limited(system: System) -> int:
    """Gmail takes 100 of 300 in 24 hours. Each day two runs, and then 100 of the window age."""
    system.gmail.control(limit=100)
    system.queue(300)
    for day in range(1, 5):
        system.gmail.control(limit=100 * day)
        for _ in range(2):
            system.send()
        system.wait(hours=24.1)
    return 300


def two_workers(system: System) -> int:
    """Two at once, on two machines: the same database, and each its own files."""
    system.queue(300)
    senders = [system.start_sender(machine) for machine in ("here", "there")]
    for sender in senders:
        with suppress(subprocess.TimeoutExpired):
            sender.wait(PATIENCE)
    system.send()
    return 300


FAULTS: dict[str, Callable[[System], int]] = {
    "killed at 60 of 500": killed,
    "limit of 100 a day, 300 to send": limited,
    "two workers, 300 to send": two_workers,
}


def judge(system: System, people: int) -> dict[str, int]:
    """`lost`: Gmail has it not, and nothing will try again by itself. `stuck`: it says it will,
    and does not. `over`: offered to Gmail, after it had said that the limit is reached."""
    accepted = Counter(row["to"] for row in system.gmail.ledger())
    refused = [row for row in system.gmail.refused() if "5.4.5" in row["reply"]]
    missing = people - len(accepted)
    stuck = min(system.left()["waiting"], missing)
    return {
        "lost": missing - stuck,
        "twice": sum(count - 1 for count in accepted.values()),
        "stuck": stuck,
        "over": max(len(refused) - 1, 0),
    }


# --- The run ---------------------------------------------------------------------------------


def main() -> None:
    rows = []
    with tempfile.TemporaryDirectory(prefix="daypost-compare-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        python = _venv(folder)
        with postgres(folder / "postgres") as server:
            for fault, strike in FAULTS.items():
                for system in ("daypost", "post_office", "mailer"):
                    found = _one(folder, server, python, system, fault, strike)
                    rows.append({"fault": fault, "system": system} | found)
                    sys.stdout.write(json.dumps(rows[-1]) + "\n")
                    sys.stdout.flush()
    PAGE.write_text(_page(rows))


def _venv(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--requirement", str(HERE / "requirements.txt")]
    subprocess.run([str(python), *install, *locked], check=True)
    return python


def _one(
    folder: Path,
    server: str,
    python: Path,
    name: str,
    fault: str,
    strike: Callable[[System], int],
) -> dict[str, int]:
    place = folder / f"{name}-{strike.__name__}"
    place.mkdir()
    kind = Daypost if name == "daypost" else System
    with PracticeGmail(place / "gmail", accounts=[ACCOUNT]) as gmail:
        gmail.control(limit=100_000)
        database = create_database(server, f"{name}_{strike.__name__}")
        system = kind(name, python, gmail, place, database)
        return judge(system, strike(system))


def _page(rows: list[dict[str, int]]) -> str:
    versions = dict(
        line.split(" ")[0].split("==")
        for line in (HERE / "requirements.txt").read_text().splitlines()
        if "==" in line
    )
    names = {
        "daypost": "Daypost",
        "post_office": f"django-post-office {versions['django-post-office']}",
        "mailer": f"django-mailer {versions['django-mailer']}",
    }
    table = "\n".join(
        f"| {row['fault']} | {names[str(row['system'])]} "
        f"| {row['lost']} | {row['twice']} | {row['stuck']} | {row['over']} |"
        for row in rows
    )
    return f"{(HERE / 'page.md').read_text()}{table}\n"


if __name__ == "__main__":
    main()
