import io
import tracemalloc

import pytest

from campaigns.contacts import reasons
from campaigns.contacts.dialect import Dialect, guess
from campaigns.contacts.lines import LONGEST_LINE
from campaigns.contacts.reader import Problem, Row, read
from campaigns.demo import example
from tests.campaigns.contacts.tables import google_new, google_old


def everything(data: bytes, **chosen) -> list[Row | Problem]:
    file = io.BytesIO(data)
    return list(read(file, guess(file, **chosen)))


def problems(data: bytes) -> list[tuple[int, str]]:
    return [(item.line, item.reason) for item in everything(data) if isinstance(item, Problem)]


def rows(data: bytes) -> list[Row]:
    return [item for item in everything(data) if isinstance(item, Row)]


def test_it_reads_a_row():
    data = b"E-mail,First name,Last name,Member no.,City\n Ana@Example.org , Ana,Lee,17,\n"
    assert everything(data) == [Row(2, "Ana@example.org", "Ana", "Lee", {"member_no": "17"}, None)]
    assert rows(data)[0].key == "ana@example.org"


def test_it_knows_every_reason_and_the_line_it_stands_on():
    data = (
        "Members\n"  # 1
        "\n"
        "Email,Name,City\n"  # 3
        'a@example.org,"Ana\nLee",Rome\n'  # 4 and 5
        "\n"
        ",Ben,Bonn\n"  # 7
        "ben,Ben,Bonn\n"
        f"{'c' * 70}@example.org,Cleo,Caen\n"
        '"d@example.org\r\nBcc: x@example.org",Dan,Delft\n'  # 10 and 11
        "e\0@example.org,Eve,Essen\n"  # 12
        "f@example.org,Fay,Faro,Porto\n"
        "g@example.org,Gül,Gent\n"
    ).encode()
    assert problems(data) == [
        (7, "missing_email"),
        (8, "bad_syntax"),
        (9, "too_long"),
        (10, "header_injection"),
        (12, "not_text"),
        (13, "ragged"),
    ]
    assert [(row.line, row.first_name) for row in rows(data)] == [(4, "Ana"), (14, "Gül")]
    assert {reason for _line, reason in problems(data)} == set(reasons.SENTENCES)


def test_it_keeps_the_cells_of_a_bad_row_and_shows_what_is_to_blame():
    assert everything(b"Email,Name\nana,Ana\n,Ben\n") == [
        Problem(2, "bad_syntax", "ana", ["ana", "Ana"]),
        Problem(3, "missing_email", ",Ben", ["", "Ben"]),
    ]


def test_it_gives_problems_that_can_be_stored():
    damaged = "Email,Zoë\n".encode() + b"a@example.org,\xff\0\n"
    (problem,) = everything(damaged)
    assert problem.reason == "not_text"
    assert problem.cells == ["a@example.org", "\ufffd\ufffd"]
    assert problem.value == "a@example.org,\ufffd\ufffd"


def test_it_refuses_only_the_row_with_bytes_that_are_not_text():
    damaged = (
        "Email,Name\na@example.org,Zoë\n".encode() + b"b@example.org,\xff\xe9\nc@example.org,C\n"
    )
    assert problems(damaged) == [(3, "not_text")]
    assert [row.email for row in rows(damaged)] == ["a@example.org", "c@example.org"]


def test_it_takes_a_row_with_fewer_cells_when_its_address_is_there():
    data = b"Email,Name,City\na@example.org\nb@example.org,Ben\n"
    assert [row.email for row in rows(data)] == ["a@example.org", "b@example.org"]
    assert problems(b"Name,Email\nBen\nAna,a@example.org\n") == [(2, "missing_email")]


def test_it_takes_more_cells_when_they_are_empty():
    assert problems(b"Email,Name,,\na@example.org,Ana,,\nb@example.org,Ben, ,,,\n") == []


def test_it_does_not_count_blank_lines_as_rows():
    assert len(everything(b'Email,Name\n\na@example.org,Ana\n \n,\n"",""\n\t\n')) == 1


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_it_reads_every_line_end(line_end):
    data = line_end.join(["Email,Name", "a@example.org,Ana", "b@example.org,Ben"]).encode()
    assert [(row.line, row.first_name) for row in rows(data)] == [(2, "Ana"), (3, "Ben")]


def test_it_splits_a_full_name():
    data = (
        'Email,Name\na@example.org,Ana Lee\nb@example.org,"Kay, Ben"\n'
        "c@example.org,Dr. Cleo van Dam\nd@example.org,Dan\ne@example.org,山田 花子\n"
        "Eve Ray <e2@example.org>,\n"
    ).encode()
    assert [(row.first_name, row.last_name) for row in rows(data)] == [
        ("Ana", "Lee"), ("Ben", "Kay"), ("Cleo", "van Dam"),
        ("Dan", ""), ("花子", "山田"), ("Eve", "Ray"),
    ]  # fmt: skip


def test_it_lets_no_name_make_a_header():
    data = (
        b'Email,Name\na@example.org,"Ana\nBcc: x@example.org"\nb@example.org,"Ben\n Kay\t \x07"\n'
    )
    assert problems(data) == [(2, "header_injection")]
    assert [(row.first_name, row.last_name) for row in rows(data)] == [("Ben", "Kay")]


def test_it_keeps_line_breaks_in_other_fields():
    data = b'Email,Address\na@example.org,"1 Road\r\nTown"\n'
    assert rows(data)[0].fields == {"address": "1 Road\nTown"}


@pytest.mark.parametrize(
    "cell", ["x" * 201, "x" * LONGEST_LINE, '"' + "x" * 500_000 + '"', '"' + "x\n" * 400 + '"']
)
def test_it_refuses_a_name_that_is_too_long_and_reads_on(cell):
    data = f"Email,First name\na@example.org,{cell}\nb@example.org,Ben\n".encode()
    assert problems(data) == [(2, "too_long")]
    assert [row.email for row in rows(data)] == ["b@example.org"]


def test_it_refuses_a_field_of_megabytes_and_reads_on():
    data = b"Email,Note\na@example.org," + b"x" * 5_000_000 + b"\nb@example.org,x\n"
    assert problems(data) == [(2, "too_long")]
    assert [row.line for row in rows(data)] == [3]


def test_it_reads_thousands_of_columns():
    header = ",".join(["Email", *(f"c{number}" for number in range(3_000))])
    line = ",".join(["a@example.org", *(str(number) for number in range(3_000))])
    (row,) = everything(f"{header}\n{line}\n".encode())
    assert len(row.fields) == 3_000
    assert row.fields["c2999"] == "2999"


def test_it_loses_no_row_to_a_stray_quote_in_a_large_table():
    lines = ["Email,Name,City", *(f"p{number}@example.org,Pat,Paris" for number in range(10_000))]
    lines[5_002] = 'p5001@example.org,"Pat,Paris'
    assert [row.line for row in rows("\n".join(lines).encode())] == list(range(2, 10_002))


def test_it_takes_the_guard_against_formulas_off():
    table = b"Email,Tel,Note\n'+a@example.org,'+49 30 1,'tis\n'=,'-1,\n"
    row, problem = everything(table)
    assert row.email == "+a@example.org"
    assert row.fields == {"tel": "+49 30 1", "note": "'tis"}
    assert problem.cells == ["=", "-1", ""]


def test_it_reads_google_contacts():
    (old, *_), (new, *_) = rows(google_old(2)), rows(google_new(2))
    assert (old.email, old.first_name, old.last_name) == ("ana1@example.org", "Ana", "Lee1")
    assert old.fields["notes"] == "Met at the fair,\nlikes tea"
    assert (new.email, new.first_name, new.last_name) == ("ana1@example.org", "Ana", "Lee1")
    assert new.fields["e_mail_2_value"] == "work1@example.org"
    assert (len(everything(google_old(1_200))), problems(google_old(1_200))) == (1_200, [])
    assert rows(google_old(3))[2].line == 6


def test_it_does_not_need_the_order_of_the_columns():
    file = io.BytesIO(b"Email,Name,City\na@example.org,Ana,Rome\n")
    dialect = Dialect("utf-8", ",", 1, {"City": "city", "Name": "name", "Email": "email"})
    assert list(read(file, dialect)) == [Row(2, "a@example.org", "Ana", "", {"city": "Rome"}, None)]


def test_it_refuses_a_dialect_that_does_not_fit_the_file():
    file = io.BytesIO(b"Email,Name\na@example.org,Ana\n")
    with pytest.raises(reasons.WrongChoice, match="City"):
        read(file, Dialect("utf-8", ",", 1, {"Email": "email", "City": "city"}))
    with pytest.raises(reasons.NoAddressColumn):
        read(file, Dialect("utf-8", ",", 1, {"Name": "name"}))


def test_it_needs_no_more_memory_for_a_larger_file(tmp_path):
    def peak(count: int) -> int:
        path = tmp_path / f"{count}.csv"
        with path.open("w", encoding="utf-8") as out:
            out.write("Email,Name,City\n")
            out.writelines(f"p{number}@example.org,Zoë,Paris\n" for number in range(count))
        with path.open("rb") as file:
            tracemalloc.start()
            found = sum(isinstance(item, Row) for item in read(file, guess(file)))
            _now, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert found == count
        return most

    # A reference to each of the further rows alone would be more than this.
    assert peak(50_000) < peak(10_000) + 100_000


def test_it_ships_an_example_of_1200_good_rows():
    shipped = example.PATH.read_bytes()
    out = io.StringIO()
    example.write(out)
    assert shipped.decode() == out.getvalue()
    found = everything(shipped)
    assert len(found) == len({row.key for row in found}) == 1_200
    assert all(isinstance(row, Row) and row.suspicious is None for row in found)
