"""Settings from the environment: `NAME`, or `NAME_FILE`, a path to a file with the value."""

from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping


class _Values(FileAwareMapping):
    """An editor ends a file with a line break, which belongs to no key, address or password."""

    def __getitem__(self, key: str) -> str:
        value: str = super().__getitem__(key)
        return value.rstrip("\r\n")


class Environment(FileAwareEnv):
    ENVIRON = _Values()
