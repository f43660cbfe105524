import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.contacts.columns import (
    LONGEST_FIELD_NAME,
    STANDARD,
    column_names,
    guess_columns,
    merge_field,
)
from campaigns.contacts.reasons import NoAddressColumn

# A slow machine is no reason to fail.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    ("column", "name"),
    [
        ("Member no.", "member_no"),
        ("  Joined  (year) ", "joined_year"),
        ("Größe", "grosse"),
        ("Prénom d'usage", "prenom_d_usage"),
        ("Город", "город"),
        ("2024 total", "field_2024_total"),
        ("Name", "field_name"),
        ("EMAIL", "field_email"),
        ("For", "field_for"),
        ("Postal address", "field_postal_address"),
        ("!!!", "field"),
        ("x" * 99, "x" * LONGEST_FIELD_NAME),
    ],
)
def test_it_makes_a_safe_merge_field_of_a_column(column, name):
    assert merge_field(column) == name


@PATIENT
@given(st.text())
def test_it_makes_a_safe_merge_field_of_anything(column):
    name = merge_field(column)
    assert 0 < len(name) <= LONGEST_FIELD_NAME
    assert name.replace("_", "a").isalnum()
    assert name[0].isalpha()
    assert name not in STANDARD


def test_it_names_every_column_once():
    assert column_names(["Email", " ", "Tel\n(home)", "Email", "email", "Email"]) == [
        "Email", "Column 2", "Tel (home)", "Email (2)", "email", "Email (3)",
    ]  # fmt: skip


def test_it_makes_unique_fields():
    assert guess_columns(["Email", "No.", "No", "no"], []) == {
        "Email": "email", "No.": "no", "No": "no_2", "no": "no_3",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("header", "fields"),
    [
        ("Email,Name", "email,name"),
        ("E-Mail,Vorname,Name", "email,first_name,last_name"),
        ("Courriel,Prénom,Nom", "email,first_name,last_name"),
        ("Correo electrónico,Nombre,Apellidos", "email,first_name,last_name"),
        ("Email,Nome,Cognome", "email,first_name,last_name"),
        ("E-postadress,Förnamn,Efternamn", "email,first_name,last_name"),
        ("E-mailadres,Voornaam,Achternaam", "email,first_name,last_name"),
        ("Adres e-mail,Imię,Nazwisko", "email,first_name,last_name"),
        ("Электронная почта,Имя,Фамилия", "email,first_name,last_name"),
        ("メールアドレス,姓,名", "email,last_name,first_name"),
        ("EMAIL_ADDRESS,first-name,LastName", "email,first_name,last_name"),
        (
            "Email Address,First Name,Last Name,MEMBER_RATING",
            "email,first_name,last_name,member_rating",
        ),
        ("Name,Email,First Name,Last Name", "-,email,first_name,last_name"),
        ("Email,Telefon,Telefon", "email,telefon,telefon_2"),
        ("email,note,line,reason", "email,note,-,-"),
        ("line,email", "line,email"),
    ],
)
def test_it_knows_the_columns_that_matter(header, fields):
    assert ",".join(guess_columns(column_names(header.split(",")), []).values()) == fields


def test_it_takes_the_address_column_that_has_addresses():
    names = ["Email", "Work email", "Other"]
    assert guess_columns(names, [["", "a@example.org", "x"]])["Work email"] == "email"
    assert guess_columns(names, [["", "", "a@example.org"]])["Other"] == "email"
    assert guess_columns(names, [["b@example.org", "a@example.org", ""]])["Email"] == "email"


def test_it_lets_the_choice_of_a_person_win():
    names = ["Email", "Second", "Name"]
    rows = [["a@example.org", "b@example.org", "Ana"]]
    assert guess_columns(names, rows, {"Second": "email", "Name": "Nick name"}) == {
        "Email": "field_email", "Second": "email", "Name": "nick_name",
    }  # fmt: skip


def test_it_does_not_guess_an_address_that_was_ruled_out():
    with pytest.raises(NoAddressColumn):
        guess_columns(["Email"], [["a@example.org"]], {"Email": "-"})
