import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.contacts.lines import LONGEST_LINE, physical_lines
from campaigns.contacts.records import LONGEST_SPAN_LINES, Record, Shape, records

# A slow machine is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

EMAIL_NAME_CITY = Shape(width=3, address_at=0)


def parts(text: str, shape: Shape | None = EMAIL_NAME_CITY, delimiter: str = ",") -> list[Record]:
    lines = physical_lines(io.BytesIO(text.encode()), "utf-8")
    return list(records(lines, delimiter, shape))


def cells(
    text: str, shape: Shape | None = EMAIL_NAME_CITY, delimiter: str = ","
) -> list[list[str]]:
    return [record.cells for record in parts(text, shape, delimiter)]


def test_it_reads_quoted_cells():
    assert cells('a@example.org,"Lee, Ana","5"" pipe"\n') == [
        ["a@example.org", "Lee, Ana", '5" pipe'],
    ]


def test_it_forgives_spaces_around_quotes():
    assert cells('a@example.org , "Lee, Ana" , x\n')[0][1].strip() == "Lee, Ana"


def test_it_reads_a_cell_of_several_lines_and_knows_where_it_begins():
    found = parts('a@example.org,"Ana\nLee\n\n,x",Rome\nb@example.org,Ben,Bonn\n')
    assert found == [
        Record(1, ["a@example.org", "Ana\nLee\n\n,x", "Rome"]),
        Record(5, ["b@example.org", "Ben", "Bonn"]),
    ]


@pytest.mark.parametrize("at", ["first", "last"])
def test_it_reads_several_lines_in_the_outer_columns(at):
    shape = Shape(2, 1 if at == "first" else 0)
    text = '"one\ntwo",a@example.org\n' if at == "first" else 'a@example.org,"one\ntwo"\n'
    assert ["one\ntwo" in row for row in cells(text, shape)] == [True]


@pytest.mark.parametrize(
    "stray",
    [
        'x@example.org,"Xavier,Rome',
        '"x@example.org,Xavier,Rome',
        'x@example.org,Xavier,"Rome',
        'x@example.org,Xavier 5",Rome',
        'x@example.org,"Xavier" of Rome,Rome',
        'x@example.org,"Xav"ier",Rome',
        'x@example.org,"""Xavier,Rome',
    ],
)
@pytest.mark.parametrize(
    "following",
    [
        "{n}@example.org,Ben,Bonn",
        '"{n}@example.org","Ben","Bonn"',
        '{n}@example.org,"Ben, the second",Bonn',
        '{n}@example.org,Ben,Pipe 5"',
        '{n}@example.org,"Ben\nBenson",Bonn',
        '{n}@example.org,"",Bonn',
        '{n}@example.org,Ben,""',
    ],
)
def test_it_loses_no_other_row_to_a_stray_quote(stray, following):
    after = [following.format(n=f"n{number}") for number in range(20)]
    text = "\n".join(["a@example.org,Ana,Rome", stray, *after]) + "\n"
    found = cells(text)
    assert len(found) == 22
    assert found[0] == ["a@example.org", "Ana", "Rome"]
    assert [len(row) for row in found] == [3] * 22
    assert [row[0] for row in found[2:]] == [f"n{number}@example.org" for number in range(20)]


def test_it_reads_a_line_with_a_stray_quote_as_it_stands():
    assert cells('x@example.org,"Xavier,Rome\n') == [["x@example.org", '"Xavier', "Rome"]]


def test_it_prefers_the_reading_with_the_width_of_the_table():
    assert cells('x@example.org,"Xav"ier, the 1st",Rome\n') == [
        ["x@example.org", 'Xav"ier, the 1st', "Rome"],
    ]
    assert cells('"Bob,bob@example.org,"Rome"\n', Shape(3, 1)) == [
        ['"Bob', "bob@example.org", "Rome"],
    ]


def test_it_reports_a_line_whose_quotes_leave_no_right_reading():
    (found,) = parts('x@example.org,"Xav"ier,"Rome,x,y\n')
    assert found.problem == "ragged"


def test_it_does_not_search_for_a_closing_quote_for_ever():
    lines = LONGEST_SPAN_LINES + 10
    found = parts('a@example.org,"open\n' + "text\n" * lines + 'text",x\nb@example.org,Ben,Bonn\n')
    assert len(found) == lines + 3
    assert found[-1].cells == ["b@example.org", "Ben", "Bonn"]


def test_it_reports_a_line_that_is_too_long_and_goes_on():
    found = parts(f"a@example.org,{'x' * LONGEST_LINE},Rome\nb@example.org,Ben,Bonn\n")
    assert [record.problem for record in found] == ["too_long", ""]


def test_it_reads_cells_beyond_the_limit_of_the_csv_module():
    limit = csv.field_size_limit(10)
    try:
        assert cells('a@example.org,"a name, of many letters",Rome\n')[0][1] == (
            "a name, of many letters"
        )
    finally:
        csv.field_size_limit(limit)


CELL = st.text(alphabet=st.sampled_from('ab@.,;" \n\t|é')) | st.emails()


@PATIENT
@given(
    st.lists(st.lists(CELL, min_size=2, max_size=4), min_size=1),
    st.sampled_from(",;\t|"),
)
def test_it_reads_whatever_is_written_by_the_rules(rows, delimiter):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert cells(out.getvalue(), None, delimiter) == rows


@PATIENT
@given(st.text(alphabet=st.sampled_from('ab@.," \n')))
def test_it_never_fails_and_never_loses_a_letter(text):
    found = parts(text)
    letters = [sign for sign in text if sign in "ab@."]
    assert [
        sign for record in found for cell in record.cells for sign in cell if sign in "ab@."
    ] == (letters)
