"""What every test may ask for."""

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
