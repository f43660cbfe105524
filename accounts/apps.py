from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import checks, running, sleepers  # noqa: F401  they register themselves

        running.take_part()
