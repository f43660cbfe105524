"""What a fact is, how all of them are looked at, and the table that tells of it."""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from gmail.errors import GmailError
from tests.live.account import Account

Look = Callable[[Account], str]


@dataclass(frozen=True)
class Fact:
    """`sure` is how sure we are of the belief: H, M, L, or "?" where nothing is known.

    `look` finds out, and tells what was seen in a few words.
    """

    name: str
    belief: str
    sure: str
    look: Look


def look_at(facts: Iterable[Fact], account: Account) -> str:
    """Look at each in turn; a Markdown table of fact, sight, belief and how sure we were."""
    rows = [("fact", "what was seen", "our belief", "how sure"), ("---",) * 4]
    for fact in facts:
        sys.stderr.write(f"{fact.name} ...\n")
        rows.append((fact.name, account.settings.redact(_seen(fact, account)), *_known(fact)))
    return "".join(f"| {' | '.join(_cell(each) for each in row)} |\n" for row in rows)


def _seen(fact: Fact, account: Account) -> str:
    try:
        return fact.look(account)
    except GmailError as err:
        # One fact that cannot be seen must not hide the others.
        return f"not seen: {type(err).__name__}: {err}"


def _known(fact: Fact) -> tuple[str, str]:
    return fact.belief, fact.sure


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
