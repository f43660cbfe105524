import io

import pytest

from campaigns.contacts.dialect import NO_HEADER, Guess, guess
from campaigns.contacts.reasons import NoAddressColumn, NotATable, WrongChoice
from tests.campaigns.contacts.tables import GOOGLE_OLD, OUTLOOK, google_new, google_old, table

WESTERN = "E-Mail;Vorname;Name;Ort\na@example.org;Jürgen;Groß;Köln\nb@example.org;Zoë;Díaz;Málaga\n"
CENTRAL = "E-mail;Imię;Nazwisko\na@example.org;Łucja;Wójcik\nb@example.org;Žofie;Dvořáková\n"
TURKISH = "E-posta;Ad;Soyad\na@example.org;Ayşe;Yılmaz\nb@example.org;Gökhan;Şahin\n"
RUSSIAN = "Почта;Имя;Фамилия\na@example.org;Иван;Петров\nb@example.org;Мария;Иванова\n"
GREEK = "Email;Όνομα;Επώνυμο\na@example.org;Γιώργος;Παπαδόπουλος\nb@example.org;Μαρία;Νικολάου\n"
JAPANESE = "メール,名,姓\na@example.org,太郎,山田\nb@example.org,花子,鈴木\nc@example.org,健,佐藤\n"


def guessed(data: bytes, **chosen) -> Guess:
    return guess(io.BytesIO(data), **chosen)


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Email,Name\na@example.org,Ana\n", "utf-8"),
        (WESTERN, "utf-8"),
        (WESTERN, "utf-8-sig"),
        (WESTERN, "utf-16"),
        (WESTERN, "utf-16-le"),
        (WESTERN, "utf-16-be"),
        (JAPANESE, "utf-16"),
        (WESTERN, "cp1252"),
        ("Email;Prénom\na@example.org;José\n", "cp1252"),
        ("Email,Note\na@example.org,“O’Brien” – €5\n", "cp1252"),
        ("Email,Nome\na@example.org,Nicolò\nb@example.org,João\n", "cp1252"),
        (CENTRAL, "cp1250"),
        (TURKISH, "cp1254"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8_r"),
        (GREEK, "cp1253"),
        (JAPANESE, "cp932"),
    ],
)
def test_it_guesses_the_encoding(text, encoding):
    found = guessed(text.encode(encoding))
    assert found.encoding == encoding
    assert found.sample == [line.split(found.delimiter) for line in text.splitlines()[1:11]]


def test_it_reads_latin_1_as_cp1252_which_holds_all_its_letters():
    assert guessed(WESTERN.encode("latin-1")).encoding == "cp1252"


def test_it_looks_at_the_whole_file_for_the_encoding():
    head = b"Email;Name\n" + b"a@example.org;Ana\n" * 50_000
    assert guessed(head + "z@example.org;Zoë\n".encode("cp1252")).encoding == "cp1252"
    assert guessed(head + "z@example.org;Zoë\n".encode()).encoding == "utf-8"


def test_it_does_not_give_up_utf_8_for_a_damaged_row():
    data = "Email,Name\na@example.org,Zoë\n".encode() + b"b@example.org,\xff\xfe\xfd\n"
    assert guessed(data).encoding == "utf-8"
    assert guessed(b"Email,Name\na@example.org,\xff\xfe\nb@example.org,Ana\n").encoding == "utf-8"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_it_guesses_the_delimiter(delimiter):
    rows = [{"Email": f"a{n}@example.org", "Name": "Lee, A; B", "City": "x|y"} for n in range(5)]
    data = table(["Email", "Name", "City"], rows, delimiter=delimiter)
    assert guessed(data).delimiter == delimiter


def test_it_is_not_misled_by_commas_in_cells():
    found = guessed(b"Name;Email\nLee, Ana;a@example.org\nKay, Ben;b@example.org\n")
    assert (found.delimiter, list(found.columns)) == (";", ["Name", "Email"])


def test_it_takes_a_single_column():
    found = guessed(b"Email\r\na@example.org\r\n")
    assert (found.delimiter, found.header_line, found.columns) == (",", 1, {"Email": "email"})


def test_it_understands_the_delimiter_that_excel_announces():
    found = guessed(b"sep=;\r\nEmail;Name, given\r\na@example.org;Ana\r\n")
    assert (found.delimiter, found.header_line) == (";", 2)


@pytest.mark.parametrize(
    ("above", "line"),
    [("", 1), ("\n", 2), ("Members\nas of May, 2024\n\n", 4), (",,\n,,\n", 3)],
)
def test_it_finds_the_header_below_other_lines(above, line):
    found = guessed(f"{above}Email,Name,City\na@example.org,Ana,Rome\n".encode())
    assert (found.header_line, list(found.columns)) == (line, ["Email", "Name", "City"])
    assert found.sample == [["a@example.org", "Ana", "Rome"]]


def test_it_is_not_misled_by_an_address_above_the_header():
    text = b"Club;info@example.org\nas of May\n\nE-Mail;Name\na@example.org;Ana\n"
    assert guessed(text).header_line == 4


def test_it_does_not_take_a_row_for_the_header_because_it_says_mail():
    text = b"a@example.org,Phone\n,Mail\nb@example.org,Mail\nc@example.org,Phone\n"
    assert guessed(text).header_line == NO_HEADER


def test_it_finds_a_header_whose_words_it_does_not_know():
    found = guessed(b"Foo,Bar\nAna,a@example.org\nBen,b@example.org\n")
    assert (found.header_line, found.columns) == (1, {"Foo": "foo", "Bar": "email"})


@pytest.mark.parametrize(
    "data",
    [
        b"a@example.org,Ana\nb@example.org,Ben\n",
        b"Ana,,17\nBen,b@example.org,18\n",
        b"a@example.org\nb@example.org\n",
    ],
)
def test_it_knows_when_there_is_no_header(data):
    found = guessed(data)
    assert found.header_line == NO_HEADER
    assert next(iter(found.columns)) == "Column 1"
    assert len(found.sample) == 2


def test_it_knows_google_contacts_old_form():
    found = guessed(google_old(3))
    assert list(found.columns) == GOOGLE_OLD
    assert found.columns["E-mail 1 - Value"] == "email"
    assert found.columns["Given Name"] == "first_name"
    assert found.columns["Family Name"] == "last_name"
    assert found.columns["Name"] == "-"
    assert found.columns["E-mail 2 - Value"] == "e_mail_2_value"


def test_it_knows_google_contacts_new_form():
    found = guessed(google_new(3))
    assert found.columns["E-mail 1 - Value"] == "email"
    assert found.columns["First Name"] == "first_name"
    assert found.columns["Last Name"] == "last_name"
    assert found.columns["Labels"] == "labels"


def test_it_knows_outlook():
    data = table(OUTLOOK, [{"First Name": "Ana", "E-mail Address": "ana@example.org"}])
    found = guessed(data, encoding="cp1252")
    assert found.columns["E-mail Address"] == "email"
    assert found.columns["First Name"] == "first_name"


def test_it_guesses_nothing_that_is_given():
    data = b"x\nEmail;Name\na@example.org;Ana\n"
    found = guessed(data, encoding="cp1252", delimiter=";", header_line=2, columns={"Name": "-"})
    assert (found.encoding, found.delimiter, found.header_line) == ("cp1252", ";", 2)
    assert found.columns == {"Email": "email", "Name": "-"}


def test_it_can_be_told_that_there_is_no_header():
    found = guessed(b"Email,Name\na@example.org,Ana\n", header_line=NO_HEADER)
    assert found.columns == {"Column 1": "email", "Column 2": "column_2"}
    assert len(found.sample) == 2


@pytest.mark.parametrize(
    "chosen",
    [
        {"encoding": "klingon"},
        {"encoding": "rot13"},
        {"delimiter": ""},
        {"delimiter": '"'},
        {"delimiter": ";;"},
        {"header_line": 2},
        {"header_line": 99},
        {"columns": {"Nam": "name"}},
        {"columns": {"Name": "city", "City": "city"}},
    ],
)
def test_it_says_what_was_chosen_wrongly(chosen):
    with pytest.raises(WrongChoice, match=r"^[A-Z].*\.$"):
        guessed(b"Email,Name,City\n\na@example.org,Ana,Rome\n", **chosen)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "nothing"),
        (b"\xef\xbb\xbf", "nothing"),
        (b"\xff\xfe", "nothing"),
        (b" \r\n\r\n", "nothing"),
        (b"PK\x03\x04\x14\x00\x06\x00" + b"\x00" * 50, "Excel"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 50, "spreadsheet"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "PDF"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"<!DOCTYPE html>\n<html><body>a@example.org</body></html>", "web page"),
        (b"\n  <html><table>", "web page"),
        (b'<?xml version="1.0"?>', "web page"),
        (b'{"email": "a@example.org"}', "JSON"),
        (b'[\n  {"email": "a@example.org"}\n]', "JSON"),
        (b"BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:a@example.org\r\nEND:VCARD\r\n", "vCard"),
        (bytes(range(256)) * 8, "not text"),
        (b"\x00" * 5_000, "not text"),
        (b"\x7fELF\x02\x01\x01" + b"\x00\x01\x02\x03\n" * 100, "not text"),
    ],
)
def test_it_says_what_is_not_a_table(data, word):
    with pytest.raises(NotATable, match=word):
        guessed(data)


def test_it_says_which_columns_there_are_when_none_holds_addresses():
    with pytest.raises(NoAddressColumn, match="Name, City") as refused:
        guessed(b"Name,City\nAna,Rome\nBen,Bonn\n")
    assert refused.value.columns == ["Name", "City"]


def test_it_finds_no_table_in_prose():
    with pytest.raises(NoAddressColumn):
        guessed(b"Dear all,\nwrite to me at a@example.org, or call.\nYours, Ana\n")
