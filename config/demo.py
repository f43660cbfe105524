"""`make demo`: the main job without a browser, on a data folder that is thrown away.

Everything is real but Gmail: the practice Gmail listens on this machine, the consent page is walked
over HTTP, and Celery's worker and beat do the sending. `CSV=path` chooses the contacts.
"""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import django

from config.ports import find_free

PRACTICE_PORTS = 5
EXAMPLE = Path(__file__).resolve().parent.parent / "campaigns" / "demo" / "example.csv"


def main() -> int:
    contacts = Path(os.environ.get("CSV") or EXAMPLE).resolve()
    # However it is ended, what it started must end too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="daypost-demo-") as folder:
        use_throw_away_folder(Path(folder))
        # The settings are read on import, so not before this line.
        from config.demo_journey import DemoFailed, Journey

        try:
            report = Journey(contacts).run()
        except DemoFailed as problem:
            sys.stderr.write(f"{problem}\n")
            return 1
        except KeyboardInterrupt:
            return 130
    sys.stdout.write(json.dumps(report) + "\n")
    return 0


def use_throw_away_folder(folder: Path) -> None:
    """Set Django up on an empty instance in `folder`, whatever the machine's settings are."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DAYPOST_DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'daypost.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://",
        "PRACTICE_PORT": str(find_free(PRACTICE_PORTS)),
    }
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
