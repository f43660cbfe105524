import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nothing in it."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, in a folder whose name has a space, and nothing installed."""
    folder = tmp_path_factory.mktemp("clone") / "Day post"
    subprocess.run(["git", "clone", "--quiet", REPOSITORY, folder], check=True, env=os.environ)
    return folder
