"""Names of people: cleaning them, and parting a full name."""

import re

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_EAST_ASIAN = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_TITLES = frozenset(
    """
    mr mrs ms miss mx dr prof sir herr frau dipl ing m mme mlle mag sr sra srta sig dott
    """.split()  # noqa: SIM905
)


def one_line(text: str) -> str:
    """A name without line breaks, control characters and doubled spaces."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    return _CONTROL.sub("", " ".join(text.split()))


def split_name(full_name: str) -> tuple[str, str]:
    """First and last name: `Lee, Ana` and `Dr. Ana Lee` -> `Ana`, `Lee`.

    The first word is taken for the first name, which is right for a greeting more often than any
    other rule. Chinese, Japanese and Korean names have the family name first.
    """
    last, comma, first = full_name.partition(",")
    if comma and first.strip() and "," not in first:
        return first.strip(), last.strip()
    words = full_name.replace(",", " ").split()
    while len(words) > 1 and words[0].rstrip(".").casefold() in _TITLES:
        words.pop(0)
    if not words:
        return "", ""
    if len(words) == 2 and _EAST_ASIAN.match(words[0]):
        return words[1], words[0]
    return words[0], " ".join(words[1:])
