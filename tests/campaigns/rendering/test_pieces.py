import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.exceptions import LiquidError

from campaigns.rendering.environment import PlainEnvironment
from campaigns.rendering.pieces import FaultKind, Kind, Piece, block_fault, column_of, cut, line_of

LIQUID_LIKE = st.lists(
    st.sampled_from(["{{", "}}", "{%", "%}", "-", " ", "a", '"', "\n", "{", "}", "%", "if", "x"])
).map("".join)


def test_it_cuts_text_outputs_and_tags() -> None:
    pieces = list(cut("Hi {{ name }}{% if x -%}!{%- endif %}\n"))
    assert [(piece.kind, piece.text, piece.name) for piece in pieces] == [
        (Kind.TEXT, "Hi ", ""),
        (Kind.OUTPUT, "{{ name }}", ""),
        (Kind.TAG, "{% if x -%}", "if"),
        (Kind.TEXT, "!", ""),
        (Kind.TAG, "{%- endif %}", "endif"),
        (Kind.TEXT, "\n", ""),
    ]


def test_it_ends_liquid_at_the_first_closing_mark_even_in_quotes() -> None:
    pieces = list(cut('{{ "}}" }}'))
    assert [piece.text for piece in pieces] == ['{{ "}}', '" }}']


@settings(deadline=None)
@given(LIQUID_LIKE)
def test_it_loses_nothing(source: str) -> None:
    pieces = list(cut(source))
    assert "".join(piece.text for piece in pieces) == source
    assert all(source.startswith(piece.text, piece.start) for piece in pieces)


@settings(deadline=None)
@given(LIQUID_LIKE)
def test_it_cuts_where_liquid_cuts(source: str) -> None:
    try:
        tokens = list(PlainEnvironment().tokenizer()(source))
    except LiquidError:
        return
    starts = {token.start_index for token in tokens if token.kind == "output"}
    assert starts == {piece.start for piece in cut(source) if piece.kind is Kind.OUTPUT}


def fault_of(source: str) -> tuple[FaultKind, str] | None:
    fault = block_fault(cut(source))
    return (fault.kind, fault.piece.text) if fault else None


@pytest.mark.parametrize(
    "source",
    [
        "{% if a %}{% for b in c %}{% break %}{% else %}{% endfor %}{% elsif d %}{% endif %}",
        "{% case a %}{% when 1 %}{% else %}{% endcase %}",
        "{% comment %}{% if %}{% comment %}{% endcomment %}{% endfor %}{% endcomment %}",
        "{% capture a %}{% endcapture %}{% unless a %}{% endunless %}",
        "no liquid",
    ],
)
def test_it_accepts_whole_blocks(source: str) -> None:
    assert fault_of(source) is None


@pytest.mark.parametrize(
    ("source", "kind", "piece"),
    [
        ("{% if a %}{% for b in c %}{% endfor %}", FaultKind.NOT_CLOSED, "{% if a %}"),
        ("{% endif %}", FaultKind.CLOSES_NOTHING, "{% endif %}"),
        ("{% if a %}{% endfor %}", FaultKind.CROSSED, "{% endfor %}"),
        ("{% else %}", FaultKind.MISPLACED, "{% else %}"),
        ("{% if a %}{% when 1 %}{% endif %}", FaultKind.MISPLACED, "{% when 1 %}"),
        ("{% if a %}{% break %}{% endif %}", FaultKind.MISPLACED, "{% break %}"),
    ],
)
def test_it_finds_blocks_that_do_not_fit(source: str, kind: FaultKind, piece: str) -> None:
    assert fault_of(source) == (kind, piece)


def test_it_counts_lines_and_columns_from_one() -> None:
    source = "a\nbc{{ d }}"
    piece: Piece = list(cut(source))[1]
    assert (line_of(source, piece.start), column_of(source, piece.start)) == (2, 3)
    assert (line_of(source, 0), column_of(source, 0)) == (1, 1)
