"""What every test may ask for."""

from pathlib import Path

import pytest
from django.conf import settings

from tests.cast import (  # noqa: F401  fixtures
    elsewhere,
    home,
    outsider,
    outsider_client,
    owner,
    owner_client,
    team_mate,
    team_mate_client,
)


@pytest.fixture(autouse=True)
def _nothing_handed_over() -> None:
    """Each test has a database of its own, and the data folder is one for all."""
    (Path(settings.DATA_DIR) / "generation").unlink(missing_ok=True)
