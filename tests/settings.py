"""The settings of an instance, on a data folder and a database that are thrown away.

`tests.plugin` makes the folder of the run and chooses the database; each xdist worker, and every
process that a test starts, takes its part of both from the environment.
"""

import os
from pathlib import Path

_worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
_folder = Path(os.environ["DAYPOST_TEST_FOLDER"]) / _worker
os.environ["DAYPOST_DATA_DIR"] = str(_folder)
os.environ.setdefault("DATABASE_URL", f"sqlite:///{_folder / 'daypost.sqlite3'}")

from config.settings import *  # noqa: E402, F403
from config.settings import DATABASES  # noqa: E402

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # On a file, as an instance is: in memory there are no locks and no second process.
    DATABASES["default"]["TEST"] = {"NAME": str(_folder / "test.sqlite3")}

# Hashing a password is slow on purpose; what is tested is not the hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
