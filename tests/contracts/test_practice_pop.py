"""The contract for reading by POP, held to the practice Gmail."""

import pytest

from tests.contracts import pop
from tests.contracts.practice import PracticeServer


@pytest.fixture
def server(receiver: PracticeServer) -> PracticeServer:
    return receiver


class TestLoggingIn(pop.LoggingIn):
    pass


class TestReading(pop.Reading):
    pass
