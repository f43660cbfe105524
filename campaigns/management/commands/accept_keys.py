"""manage.py accept_keys: go on with other keys where those that are never changed are lost."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.management.base import WorkspaceCommand
from campaigns import lasting_keys


class Command(WorkspaceCommand):
    help = (
        "Go on with the keys that are here, where the SUPPRESSION_KEY or TOKEN_KEY that this "
        "database was made with is lost for good."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="say that they are lost")

    def handle(self, *args: Any, **options: Any) -> None:
        wrong = lasting_keys.wrong()
        if wrong and not options["yes"]:
            raise CommandError(
                "Without the right key nobody who was erased is known again, and nobody can opt "
                "out by an old mail. Look for it first; if it is lost, say --yes.",
                returncode=2,
            )
        unknown = lasting_keys.accept() if wrong else 0
        document = {"accepted": wrong, "not_known_again": unknown}
        self.answer(options, document, _in_words(wrong, unknown))


def _in_words(wrong: list[str], unknown: int) -> str:
    if not wrong:
        return "The keys are those that this database was made with: nothing was changed."
    return (
        f"Daypost goes on with {' and '.join(wrong)} as they are here. Of those who were erased, "
        f"{unknown} must not be written to and are not known again."
    )
