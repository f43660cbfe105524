"""The contract for reading by POP, held to the practice Gmail."""

from tests.contracts import pop


class TestLoggingIn(pop.LoggingIn):
    pass


class TestReading(pop.Reading):
    pass
