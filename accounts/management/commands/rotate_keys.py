"""Encrypts every secret anew under the newest key, so that an old key can be thrown away."""

from typing import Any

from django.core.management.base import CommandError

from accounts import sealed
from accounts.management.base import WorkspaceCommand


class Command(WorkspaceCommand):
    help = (
        "Encrypt every stored secret anew under the first key of VAULT_KEYS. Put the new key "
        "first, run this, then remove the old ones. Keys are the instance's: --workspace does "
        "not narrow it."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        results = [result for column in sealed.ALL for result in column.reseal_all()]
        problems = [result for result in results if result is not None]
        count = len(results) - len(problems)
        self.answer(options, {"re_encrypted": count}, f"Secrets encrypted anew: {count}.")
        if problems:
            raise CommandError(
                f"{len(problems)} could not be opened and stay as they are. {problems[0]} "
                "Keep the old keys in VAULT_KEYS, or connect that account again."
            )
