import io

import pytest

from campaigns.contacts.lines import LONGEST_LINE, is_text, physical_lines, shown


def lines(data: bytes, encoding: str = "utf-8") -> list[tuple[int, str]]:
    return list(physical_lines(io.BytesIO(data), encoding))


def test_it_counts_every_kind_of_line_end():
    assert lines(b"a\r\nb\nc\rd\r\n\r\ne") == [
        (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, ""), (6, "e"),
    ]  # fmt: skip


def test_it_does_not_take_the_end_of_an_old_file_for_a_line():
    assert lines(b"a\r\n\x1a") == [(1, "a")]


def test_it_does_not_part_lines_at_other_signs():
    assert lines("a\x0bb\x85c\u2028d\n".encode()) == [(1, "a\x0bb\x85c\u2028d")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_it_takes_the_byte_order_mark_off(encoding):
    assert lines("\ufeffä\nb".encode(encoding.removesuffix("-sig")), encoding) == [
        (1, "ä"), (2, "b"),
    ]  # fmt: skip


def test_it_holds_a_line_end_together_across_chunks():
    data = b"x" * 65_535 + b"\r\nb\n"
    assert [(number, len(line)) for number, line in lines(data)] == [(1, 65_535), (2, 1)]


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (b"ok\nb\xffd\nok", "utf-8"),
        (b"ok\nb\x81d\nok", "cp1252"),
        (
            "ok\n".encode("utf-16-le") + b"\x00\xd8b\x00\n\x00" + "ok".encode("utf-16-le"),
            "utf-16-le",
        ),
    ],
)
def test_it_marks_the_line_with_unknown_bytes_and_no_other(data, encoding):
    found = lines(data, encoding)
    assert [is_text(line) for _number, line in found] == [True, False, True]
    assert [found[0][1], found[2][1]] == ["ok", "ok"]
    shown(found[1][1]).encode()


def test_it_does_not_take_nul_for_text():
    assert [is_text(line) for _number, line in lines(b"a\nb\0\n\xc3\xa9\0\n")] == [
        True, False, False,
    ]  # fmt: skip


def test_it_keeps_only_the_beginning_of_an_endless_line():
    found = lines(b"a\n" + b"x" * (3 * LONGEST_LINE) + b"\nb\n")
    assert [number for number, _line in found] == [1, 2, 3]
    assert LONGEST_LINE < len(found[1][1]) < LONGEST_LINE + 200_000
    assert found[2] == (3, "b")
