import pytest

from accounts import sealed
from accounts.vault import VaultError
from tests.campaigns.making import make_account, make_workspace


@pytest.mark.django_db
def test_it_opens_nothing_that_was_copied_to_another_row_or_column() -> None:
    ana, ben = make_account(make_workspace()), make_account(make_workspace())
    ben.sealed_secret = sealed.ACCOUNT_SECRET.seal(ana, "the refresh token")
    with pytest.raises(VaultError):
        sealed.ACCOUNT_SECRET.open(ben)
    ana.sealed_access_token = sealed.ACCOUNT_SECRET.seal(ana, "the refresh token")
    with pytest.raises(VaultError):
        sealed.ACCESS_TOKEN.open(ana)
