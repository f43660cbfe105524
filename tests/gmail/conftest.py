from collections.abc import Iterator

import pytest

from gmail.endpoints import Endpoints
from tests.gmail.cast import ANA, ANA_PASSWORD, BEN, endpoints_of
from tests.practice_gmail import PracticeGmail


@pytest.fixture(scope="session")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with PracticeGmail(directory, accounts=accounts, limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail) -> PracticeGmail:
    """A running practice Gmail without faults."""
    shared_gmail.control(clock_offset=0, limit=100_000, faults=[])
    return shared_gmail


@pytest.fixture
def endpoints(gmail: PracticeGmail) -> Endpoints:
    return endpoints_of(gmail)
