from collections.abc import Iterator

import pytest

from tests.contracts.practice import SENT, PracticeServer
from tests.gmail.cast import ANA, ANA_PASSWORD, BEN
from tests.practice_gmail import PracticeGmail


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeServer]:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with PracticeGmail(directory, accounts=accounts, limit=100_000, sent_name=SENT) as gmail:
        yield PracticeServer.of(gmail)


@pytest.fixture(scope="session")
def small_mailbox(server: PracticeServer) -> PracticeServer:
    """The same server for somebody who has little mail, and gets none."""
    return PracticeServer.of(server.gmail, BEN)
