from collections.abc import Iterator

import pytest

from tests.practice.clients import ANA, ANA_PASSWORD, BEN
from tests.practice_gmail import PracticeGmail


@pytest.fixture(scope="module")
def shared_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    """One process for a module's tests that do not mind what the others left."""
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with PracticeGmail(directory, accounts=accounts, limit=100_000) as gmail:
        yield gmail


@pytest.fixture
def gmail(shared_gmail: PracticeGmail) -> PracticeGmail:
    """The shared process, without faults, on real time and with plenty of limit left."""
    shared_gmail.control(
        clock_offset=0,
        limit=100_000,
        faults=[],
        sent_delay=2,
        answer_delay=2,
        imap={ANA: True, BEN: True},
        pop={ANA: True, BEN: True},
        aliases={ANA: [], BEN: []},
        hide={ANA: [], BEN: []},
    )
    return shared_gmail


@pytest.fixture
def own_gmail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PracticeGmail]:
    """A fresh process for one test, which may stop and kill it."""
    directory = tmp_path_factory.mktemp("practice") / "gmail"
    accounts = [f"{ANA}:{ANA_PASSWORD}", BEN]
    with PracticeGmail(directory, accounts=accounts) as gmail:
        yield gmail
