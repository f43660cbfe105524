"""System checks of what is kept: for long enough, and under the right keys."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

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


@register(Tags.database)
def lasting_keys_fit(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None, **kwargs: Any
) -> list[CheckMessage]:
    """Asked when the tables are brought up to date, which is how every part begins (`make run`)."""
    # Not before the apps are ready, which is when this module is read.
    from campaigns import lasting_keys
    from campaigns.models import KeyMark

    if connection.alias not in (databases or []):
        return []
    if KeyMark._meta.db_table not in connection.introspection.table_names():
        return []
    return [
        Error(
            lasting_keys.what_is_wrong(name),
            hint=lasting_keys.what_to_do(name),
            id=f"campaigns.E00{2 + lasting_keys.NAMES.index(name)}",
        )
        for name in lasting_keys.wrong()
    ]
