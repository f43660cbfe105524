"""Daypost beside django-post_office and django-mailer, in the same faults: `make compare`.

Each gets a PostgreSQL database and a practice Gmail of its own, on this machine alone. What Gmail
accepted is read from the practice Gmail's ledger, which knows none of them; what is left over is
what each says itself. Both peers run twice: as their documentation sets them up, and tuned for
these faults with the settings that they have. The table goes to docs/comparison.md.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

from tests.practice_gmail import PracticeGmail
from tests.services import create_database, postgres

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
PAGE = REPOSITORY / "docs" / "comparison.md"
ACCOUNT = "ana@gmail.com"
# No pass of sending may take longer, in seconds: one that waits for ever is stuck.
PATIENCE = 900
# Each has everything of its own, so that some can run beside one another.
AT_ONCE = 3


class SetUpFailed(Exception):
    """A command that is no part of the fault failed: what was measured would mean nothing."""


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
        """What it prints. Raises SetUpFailed."""
        done = self.run_on_this_machine(command)
        if done.returncode:
            raise SetUpFailed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
        return done.stdout

    def run_on_this_machine(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.place("here"),
            env=self.environment | {"TMPDIR": str(self.place("here"))},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )

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
        """One pass. It may fail as it likes: the ledger tells what came of it."""
        with suppress(subprocess.TimeoutExpired):
            self.run_on_this_machine(self.sender())

    def wait(self, hours: float) -> None:
        self.run("later", str(hours))

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
        time.sleep(0.02)
    with suppress(ProcessLookupError):
        os.killpg(sender.pid, signal.SIGKILL)
    sender.wait()
    for _ in range(3):
        system.wait(hours=1 / 3)
        system.send()
    return 500


def limited(system: System) -> int:
    """Gmail takes 100 of 300 in 24 hours. Each day two runs, and then 100 of the window age."""
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
        try:
            sender.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(sender.pid, signal.SIGKILL)
            sender.wait()
    system.send()
    return 300


FAULTS: dict[str, Callable[[System], int]] = {
    "killed at 60 of 500": killed,
    "limit of 100 a day, 300 to send": limited,
    "two workers, 300 to send": two_workers,
}

SYSTEMS = {
    "daypost": "Daypost",
    "post_office": "django-post-office {django-post-office}",
    "post_office-tuned": "the same, tuned",
    "mailer": "django-mailer {django-mailer}",
    "mailer-tuned": "the same, tuned",
}


@dataclass(frozen=True)
class Row:
    """A line of the table; the figures are messages."""

    fault: str
    system: str
    lost: int
    twice: int
    stuck: int
    over: int


def judge(system: System, people: int) -> dict[str, int]:
    """`lost`: Gmail has it not, and nothing will try again by itself. `stuck`: it says it will,
    and does not. `over`: refused at the limit, and nothing was accepted since the last refusal."""
    ledger, refused = system.gmail.ledger(), system.gmail.refused()
    accepted = Counter(row["to"] for row in ledger)
    missing = people - len(accepted)
    stuck = min(system.left()["waiting"], missing)
    answers = [(row["at"], False) for row in ledger]
    answers += [(row["at"], True) for row in refused if "5.4.5" in row["reply"]]
    at_limit = [is_refusal for _, is_refusal in sorted(answers)]
    return {
        "lost": missing - stuck,
        "twice": sum(count - 1 for count in accepted.values()),
        "stuck": stuck,
        "over": sum(before and after for before, after in pairwise(at_limit)),
    }


# --- The run ---------------------------------------------------------------------------------


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="daypost-compare-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        python = _venv(folder)
        with postgres(folder / "postgres") as server, ThreadPoolExecutor(AT_ONCE) as pool:
            runs = [
                pool.submit(_one, folder, server, python, system, fault)
                for fault in FAULTS
                for system in SYSTEMS
            ]
            rows = [run.result() for run in runs]
    PAGE.write_text(_page(rows))
    return 0


def _venv(folder: Path) -> Path:
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    locked = ["--require-hashes", "--requirement", str(HERE / "requirements.txt")]
    subprocess.run([str(python), *install, *locked], check=True)
    return python


def _one(folder: Path, server: str, python: Path, name: str, fault: str) -> Row:
    strike = FAULTS[fault]
    called = f"{name}_{strike.__name__}".replace("-", "_")
    place = folder / called
    place.mkdir()
    kind = Daypost if name == "daypost" else System
    with PracticeGmail(place / "gmail", accounts=[ACCOUNT]) as gmail:
        gmail.control(limit=100_000)
        system = kind(name, python, gmail, place, create_database(server, called))
        row = Row(fault, name, **judge(system, strike(system)))
    sys.stdout.write(f"{json.dumps(asdict(row))}\n")
    sys.stdout.flush()
    return row


def _page(rows: list[Row]) -> str:
    versions = dict(
        line.split(" ")[0].split("==")
        for line in (HERE / "requirements.txt").read_text().splitlines()
        if "==" in line
    )
    table = "\n".join(
        f"| {row.fault} | {SYSTEMS[row.system].format_map(versions)} "
        f"| {row.lost} | {row.twice} | {row.stuck} | {row.over} |"
        for row in rows
    )
    return f"{(HERE / 'page.md').read_text()}{table}\n"


if __name__ == "__main__":
    sys.exit(main())
