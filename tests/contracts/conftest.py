from collections.abc import Iterator

import pytest

from tests.contracts.practice import SENT, PracticeServer
from tests.gmail.cast import ANA, ANA_PASSWORD, BEN
from tests.practice_gmail import PracticeGmail

CLEO = "cleo@gmail.com"


@pytest.fixture(scope="session")
def practice_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN, CLEO]
    with PracticeGmail(directory, accounts=accounts, limit=100_000, sent_name=SENT) as gmail:
        yield gmail


@pytest.fixture(scope="session")
def server(practice_gmail: PracticeGmail) -> PracticeServer:
    """For Ana, who sends and reads."""
    return PracticeServer.of(practice_gmail, ANA)


@pytest.fixture(scope="session")
def receiver(practice_gmail: PracticeGmail) -> PracticeServer:
    """The same for Cleo, who sends nothing: POP shows copies of what was sent."""
    return PracticeServer.of(practice_gmail, CLEO)


@pytest.fixture(scope="session")
def small_mailbox(practice_gmail: PracticeGmail) -> PracticeServer:
    """The same for Ben, who has little mail and gets none."""
    return PracticeServer.of(practice_gmail, BEN)
