"""What holds for every page: its frame, its policy, and that nothing comes from elsewhere."""

import re
from typing import Any

import html5lib
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import GmailAccount
from tests.belongings import Belongings
from tests.site_map import PUBLIC, Address, site_map

pytestmark = [pytest.mark.django_db, pytest.mark.only_shows]

HTML = "{http://www.w3.org/1999/xhtml}"
ADDRESSES = site_map()
FOREIGN = re.compile(r"^(https?:)?//")


def page_at(address: Address, home: Belongings, client: Client) -> Any:
    """The parsed page, or None where there is none.

    None for a redirect, a file, a part of a page that HTMX asks for, and an author's own HTML,
    which stands in a frame under a policy of its own.
    """
    response = client.get(address.path(home))
    body = b"".join(response)
    policy = response.headers["Content-Security-Policy"]
    whole = body.lstrip()[:15].lower() == b"<!doctype html>"
    if response.status_code != 200 or not whole or "sandbox" in policy:
        return None
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "default-src 'none'" in policy
    return html5lib.parse(body, namespaceHTMLElements=True)


def texts(page: Any, tag: str) -> list[str]:
    return ["".join(element.itertext()).strip() for element in page.iter(f"{HTML}{tag}")]


def test_it_keeps_the_rules_of_a_page(
    subtests: pytest.Subtests, home: Belongings, owner_client: Client
) -> None:
    whole = set()
    # Looking changes nothing (tests/test_outsider.py), so all look at the same rows; who has
    # logged out sees the log-in, so that is looked at last.
    for address in sorted(ADDRESSES, key=lambda address: address.name in PUBLIC):
        with subtests.test(address.name):
            page = page_at(address, home, owner_client)
            if page is not None:
                assert_rules(page)
                whole.add(address.name)
    assert {"admin:index", "admin:people", "admin:campaigns_contact_changelist"} <= whole


def test_it_keeps_the_rules_of_a_page_before_the_log_in(
    subtests: pytest.Subtests, home: Belongings
) -> None:
    for address in ADDRESSES:
        if address.name in PUBLIC:
            with subtests.test(address.name):
                page = page_at(address, home, Client())
                if page is not None:
                    assert_rules(page)


def assert_rules(page: Any) -> None:
    assert_frame(page)
    assert_loads_only_its_own(page)
    assert_names_fields_and_pictures(page)


def assert_frame(page: Any) -> None:
    """A title, one heading, one main part, a language."""
    (title,) = texts(page, "title")
    assert re.fullmatch(r"\S.* · Daypost", title, re.S)
    (heading,) = texts(page, "h1")
    assert heading
    assert len(texts(page, "main")) == 1
    assert page.attrib["lang"] == "en"


def assert_loads_only_its_own(page: Any) -> None:
    """No script in the page, nothing from another host."""
    for element in page.iter():
        for name, value in element.attrib.items():
            assert not str(name).startswith("on"), f"{name} of {element.tag}"
            if name in {"src", "action"} or (name == "href" and element.tag == f"{HTML}link"):
                assert not FOREIGN.match(value), value
        if element.tag == f"{HTML}script":
            kind = element.attrib.get("type", "")
            assert element.attrib.get("src") or kind == "application/json"


def assert_names_fields_and_pictures(page: Any) -> None:
    labels = list(page.iter(f"{HTML}label"))
    labelled = {label.attrib.get("for") for label in labels}
    inside = {id(field) for label in labels for field in label.iter()}
    for tag in ("input", "select", "textarea"):
        for field in page.iter(f"{HTML}{tag}"):
            if field.attrib.get("type") in {"hidden", "submit", "button"}:
                continue
            named = {"aria-label", "aria-labelledby", "title", "placeholder"} & set(field.attrib)
            known = id(field) in inside or field.attrib.get("id") in labelled
            assert named or known, field.attrib
    assert all("alt" in picture.attrib for picture in page.iter(f"{HTML}img"))


def test_it_says_on_every_page_that_an_account_is_for_practice(
    home: Belongings, owner_client: Client
) -> None:
    pages = [reverse(f"admin:{name}") for name in ("index", "people", "settings")]
    pages += ["/campaigns/contact/", "/account/password/change/"]
    sentence = "zebra@gmail.com is a stand-in Gmail on this machine."
    assert not any(sentence in owner_client.get(page).text for page in pages)

    GmailAccount.objects.update(practice=True)
    assert all(sentence in owner_client.get(page).text for page in pages)

    GmailAccount.objects.update(state=GmailAccount.State.DISCONNECTED)
    assert not any(sentence in owner_client.get(page).text for page in pages)


def test_it_keeps_the_words_and_the_order_of_the_menu(
    owner_client: Client, home: Belongings
) -> None:
    page = html5lib.parse(owner_client.get("/people/").content, namespaceHTMLElements=True)
    (menu,) = [nav for nav in page.iter(f"{HTML}nav") if nav.attrib.get("aria-label") == "Main"]
    words = [
        "".join(span.itertext()) for span in menu.iter(f"{HTML}span") if "class" not in span.attrib
    ]

    assert words == [
        "Dashboard",
        "Campaigns",
        "Messages",
        "What came back",
        "Report",
        "Templates",
        "Contacts",
        "Lists",
        "Imports",
        "Suppressions",
        "Gmail accounts",
        "Settings",
        "People",
    ]
    (current,) = [link for link in menu.iter(f"{HTML}a") if "aria-current" in link.attrib]
    assert current.attrib["href"] == "/people/"


@pytest.mark.parametrize("path", ["/nothing/", "/campaigns/contact/999999/change/"])
def test_it_shows_what_is_not_there_in_the_same_look(path: str, owner_client: Client) -> None:
    response = owner_client.get(path)

    assert response.status_code == 404
    assert "There is nothing here" in response.text
    assert "daypost.css" in response.text


def test_it_explains_a_form_that_comes_without_its_token(home: Belongings) -> None:
    response = Client(enforce_csrf_checks=True).post("/account/login/", {})

    assert response.status_code == 403
    assert "Please try again" in response.text
