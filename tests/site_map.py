"""Every address of the site, walked out of the URL resolver, with arguments that fill it.

Where a pattern takes arguments that cannot be told from its name, say so in ARGUMENTS; a pattern
that nobody can fill fails the tests that go through all of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.contrib import admin
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.views.generic import RedirectView

from accounts.models import Membership
from tests.belongings import Belongings, our_models

# Name of the URL -> for each argument the model whose primary key it is, or a fixed text.
ARGUMENTS: dict[str, dict[str, type[Model] | str]] = {
    "admin:remove_person": {"pk": Membership},
    "admin:app_list": {"app_label": "campaigns"},
    "admin:campaigns_template_starter": {"slug": "letter"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "no-key"},
}

# Open to people who are not logged in: the way in.
PUBLIC = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    # Lead on to the ones above.
    "admin:login",
    "admin:logout",
    "admin:password_change",
}

# Leads on to a page that is tried under its own name.
CATCH_ALL = "(?P<url>.*)$"


@dataclass(frozen=True)
class Address:
    """One URL pattern: its full name and the names of its arguments."""

    name: str
    route: str
    arguments: tuple[str, ...]

    def path(self, has: Belongings) -> str:
        """The address of `has`'s own rows."""
        return reverse(self.name, kwargs=self._fill(has))

    def path_of_none(self) -> str:
        """The same address for rows that do not exist."""
        kwargs = {
            argument: source if isinstance(source, str) else 987_654_321
            for argument, source in self._sources().items()
        }
        return reverse(self.name, kwargs=kwargs)

    def leads_to_rows(self) -> bool:
        """Whether an argument is the key of a row, which may be somebody else's."""
        return any(not isinstance(source, str) for source in self._sources().values())

    def _fill(self, has: Belongings) -> dict[str, object]:
        return {
            argument: source if isinstance(source, str) else has.of(source).pk
            for argument, source in self._sources().items()
        }

    def _sources(self) -> dict[str, type[Model] | str]:
        if self.name in ARGUMENTS:
            return ARGUMENTS[self.name]
        return {argument: self._model_of(argument) for argument in self.arguments}

    def _model_of(self, argument: str) -> type[Model]:
        """`campaign_id` is a Campaign; `pk` of admin:campaigns_template_preview is a Template."""
        for model in our_models():
            options = model._meta
            named = options.verbose_name.lower().replace(" ", "_"), options.model_name
            if argument in {f"{name}_id" for name in named}:
                return model
            if self.name.startswith(f"admin:{options.app_label}_{options.model_name}_"):
                return model
        pytest.fail(f"tests/site_map.py cannot fill {self.route} ({self.name}): see ARGUMENTS.")


def site_map() -> list[Address]:
    """Every address that the site answers, the catch-all that only adds slashes left out.

    And those for recipients of mail left out: whoever has a token may open them, whichever
    workspace they belong to. What holds there is in `tests/campaigns/public`, of each of them.
    """
    addresses = _walk(get_resolver().url_patterns, "", "")
    return [address for address in addresses if not address.name.startswith("public:")]


def _walk(
    patterns: list[URLPattern | URLResolver], prefix: str, namespace: str
) -> Iterator[Address]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            yield from _walk(pattern.url_patterns, route, inner)
        elif route.endswith(CATCH_ALL):
            continue
        elif pattern.name:
            arguments = tuple(pattern.pattern.regex.groupindex)
            yield Address(f"{namespace}{pattern.name}", route, arguments)
        elif getattr(pattern.callback, "view_class", None) is not RedirectView:
            pytest.fail(f"The URL {route} has no name: give it one, so that it can be tried.")


def admin_classes() -> list[admin.ModelAdmin]:
    return list(admin.site._registry.values())
