"""Every column that holds a sealed secret, and whose it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Model
from django.views.decorators.debug import sensitive_variables

from accounts import vault
from accounts.models import GmailAccount, OAuthClient
from accounts.vault import VaultError


@dataclass(frozen=True)
class SealedColumn:
    """A text column that is empty or sealed for its own row. `purpose` is part of the binding."""

    model: type[Model]
    column: str
    purpose: str

    def seal(self, row: Model, secret: str) -> str:
        """What to store in the column of `row`, which must have its primary key already."""
        return vault.seal(secret, self._bound_to(row))

    @sensitive_variables()
    def open(self, row: Model) -> str:
        """The secret of `row`. Raises VaultError, also when there is none."""
        sealed = getattr(row, self.column)
        if not sealed:
            raise VaultError(f"There is no secret of {self._bound_to(row)}.")
        return vault.open_sealed(sealed, self._bound_to(row))

    @sensitive_variables()
    def reseal_all(self) -> Iterator[VaultError | None]:
        """Encrypt every row's secret under the newest key: None for each, or why it could not be.

        A secret that is replaced meanwhile is sealed under the newest key already.
        """
        rows = self.model._default_manager.exclude(**{self.column: ""})
        for row in rows.iterator(chunk_size=100):
            old = getattr(row, self.column)
            try:
                new = vault.reseal(old, self._bound_to(row))
            except VaultError as error:
                yield error
                continue
            unchanged = self.model._default_manager.filter(pk=row.pk, **{self.column: old})
            unchanged.update(**{self.column: new})
            yield None

    def _bound_to(self, row: Model) -> str:
        if row.pk is None:
            raise ValueError("A secret is bound to a row that was saved.")
        return f"{self.purpose}:{row.pk}:{self.column}"


ACCOUNT_SECRET = SealedColumn(GmailAccount, "sealed_secret", "gmail_account")
ACCESS_TOKEN = SealedColumn(GmailAccount, "sealed_access_token", "gmail_account")
CLIENT_SECRET = SealedColumn(OAuthClient, "sealed_secret", "oauth_client")

ALL = (ACCOUNT_SECRET, ACCESS_TOKEN, CLIENT_SECRET)
