"""What there is to do in one mail program, and what to type into its fields."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a program's form; `typed` is what goes into it, and is worth copying."""

    label: str
    value: str
    typed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that stand together in the program."""

    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Guide:
    """The way to a mailbox in one program.

    `by_itself` are the steps where the program knows Gmail and asks Google for access; empty where
    it does not, as for a practice account. `by_hand` are those that lead to the fields.
    """

    by_itself: tuple[str, ...]
    by_hand: tuple[str, ...]
    groups: tuple[Group, ...]
    remarks: tuple[str, ...] = ()
