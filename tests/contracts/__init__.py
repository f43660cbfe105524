import pytest

# pytest explains failed assertions in test modules only, unless it is asked to.
pytest.register_assert_rewrite(
    "tests.contracts.imap", "tests.contracts.pop", "tests.contracts.smtp"
)
