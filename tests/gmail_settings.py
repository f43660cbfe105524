"""Points the app, in this process, at a practice Gmail."""

from typing import Any

from tests.practice_gmail import PracticeGmail


def point_at(gmail: PracticeGmail, settings: Any) -> None:
    """Take over the settings that `gmail` wrote for its clients; undone with the fixture."""
    for name, value in gmail.env.items():
        group, _, key = name.partition("_")
        given = int(value) if key.endswith("PORT") else value
        setattr(settings, group, {**getattr(settings, group), key.lower(): given})
