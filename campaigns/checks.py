"""System checks of what is kept."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

# A use counts for 24 hours, and one whose answer was lost from the last moment at which Gmail may
# have accepted it.
LEAST_DAYS = {"KEEP_LEDGER_DAYS": 2, "KEEP_FILES_DAYS": 1, "KEEP_HISTORY_DAYS": 1}


@register()
def enough_is_kept(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """What still counts, or is still needed, must not be thrown away."""
    return [
        Error(f"{name} must be {least} at the least.", id="campaigns.E001")
        for name, least in LEAST_DAYS.items()
        if getattr(settings, name) < least
    ]
