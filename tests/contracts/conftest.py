from collections.abc import Iterator

import pytest

from tests.contracts.practice import SENT, PracticeServer
from tests.gmail.cast import ANA, ANA_PASSWORD
from tests.practice_gmail import PracticeGmail


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}"]
    with PracticeGmail(directory, accounts=accounts, limit=100_000, sent_name=SENT) as gmail:
        yield PracticeServer.of(gmail)
