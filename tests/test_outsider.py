"""Nobody sees or changes what belongs to another workspace: every address, every row, every way.

Addresses come out of the URL resolver, rows out of the cast's registry: what is added to either is
tried from then on, or makes these tests fail until it can be.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from accounts.owned_admin import OwnedAdmin
from accounts.tenancy import visible
from tests.belongings import Belongings, our_models
from tests.cast import ELSEWHERE, HOME, client_of
from tests.site_map import PUBLIC, Address, admin_classes, site_map

pytestmark = pytest.mark.django_db

ADDRESSES = site_map()
WITH_ROWS = [address for address in ADDRESSES if address.leads_to_rows()]
LOGIN_PAGES = ("/login/", "/account/login/")

Rows = dict[type[Model], list[dict[str, Any]]]


def rows_of(has: Belongings) -> Rows:
    """Every row of a workspace, with all its values."""
    return {
        model: list(visible(model._default_manager.all(), has.workspace).order_by("pk").values())
        for model in our_models()
    }


def text_of(response: HttpResponseBase) -> str:
    """All that the browser gets: body, also a streamed one, and where it is sent."""
    body = b"".join(response) if response.streaming else response.content  # type: ignore[attr-defined]
    return body.decode("utf-8", "replace") + response.headers.get("Location", "")


def every_key(has: Belongings) -> dict[str, list[str]]:
    """The keys of a workspace's rows under all names that a page may read them from."""
    data: dict[str, list[str]] = {}
    for model, row in has.everything().items():
        for name in (model._meta.model_name, model._meta.verbose_name.replace(" ", "_")):
            for suffix in ("", "s", "_id", "_pk"):
                data[f"{name}{suffix}"] = [str(row.pk)]
    return data | {name: [str(has.of(our_models()[0]).pk)] for name in ("id", "pk")}


@contextmanager
def trying(subtests: pytest.Subtests, name: str) -> Iterator[None]:
    """One address or class of many: where it fails it is named, and it leaves nothing behind."""
    savepoint = transaction.savepoint()
    with subtests.test(name):
        yield
    transaction.savepoint_rollback(savepoint)


# --- The outsider -----------------------------------------------------------------------------


def test_it_tells_an_outsider_no_more_of_a_row_than_of_none(
    subtests: pytest.Subtests, home: Belongings, outsider: User
) -> None:
    """404; or what everybody is answered, whose page takes no GET or allows no deleting."""
    before = rows_of(home)

    for address in WITH_ROWS:
        with trying(subtests, address.name):
            for method in ("get", "post"):
                ask = getattr(client_of(outsider), method)
                response = ask(address.path(home))
                of_none = ask(address.path_of_none())
                assert response.status_code == of_none.status_code
                assert response.status_code in {404, 405, 403}
                assert HOME not in text_of(response)
            assert rows_of(home) == before


def test_it_shows_an_outsider_nothing_of_another_workspace(
    subtests: pytest.Subtests, home: Belongings, elsewhere: Belongings, outsider: User
) -> None:
    """At the outsider's own rows, asking for the rows of others by any name a page may read."""
    before = rows_of(home)

    for address in ADDRESSES:
        with trying(subtests, address.name):
            path = address.path(elsewhere)
            for method in ("get", "post"):
                response = getattr(client_of(outsider), method)(path, every_key(home))
                assert HOME not in text_of(response)
                assert response.status_code < 500
            assert rows_of(home) == before


def test_it_searches_and_filters_only_what_an_outsider_owns(
    subtests: pytest.Subtests, home: Belongings, outsider_client: Client
) -> None:
    for model_admin in admin_classes():
        with trying(subtests, model_admin.model.__name__):
            key = home.of(model_admin.model).pk
            # A part of the word finds every row of home; the page may repeat the part, not the
            # word.
            for query in ({"q": HOME[:-1]}, {"id__exact": key}, {"workspace": home.workspace.pk}):
                response = outsider_client.get(changelist_of(model_admin), query, follow=True)
                assert HOME not in text_of(response)


def test_it_runs_no_list_action_on_the_rows_of_others(
    subtests: pytest.Subtests, home: Belongings, outsider: User, outsider_client: Client
) -> None:
    before = rows_of(home)

    for model_admin in admin_classes():
        with trying(subtests, model_admin.model.__name__):
            for action in model_admin.get_actions(request_of(outsider)):
                for across in ("0", "1"):
                    selection = {
                        "action": action,
                        "_selected_action": [home.of(model_admin.model).pk],
                        "select_across": across,
                        "post": "yes",
                    }
                    response = outsider_client.post(changelist_of(model_admin), selection)
                    assert HOME not in text_of(response)
                    assert response.status_code < 500
            assert rows_of(home) == before


def test_it_offers_no_row_of_others_in_a_form(
    subtests: pytest.Subtests, home: Belongings, elsewhere: Belongings, outsider: User
) -> None:
    request = request_of(outsider)
    for model_admin in admin_classes():
        with trying(subtests, model_admin.model.__name__):
            own = elsewhere.of(model_admin.model)
            forms = [model_admin.get_form(request), model_admin.get_form(request, own)]
            for inline in model_admin.get_inline_instances(request, own):
                forms.append(inline.get_formset(request, own).form)

            for form in forms:
                for name, field in form.base_fields.items():
                    choices = getattr(field, "queryset", None)
                    if choices is None:
                        continue
                    theirs = home.of(choices.model).pk
                    assert not choices.filter(pk=theirs).exists(), f"{form.__name__}.{name}"


def test_it_completes_no_row_of_others(
    subtests: pytest.Subtests, home: Belongings, outsider_client: Client
) -> None:
    for model_admin in admin_classes():
        options = model_admin.model._meta
        with trying(subtests, model_admin.model.__name__):
            for field in options.get_fields():
                if not getattr(field, "remote_field", None) or field.auto_created:
                    continue
                asked = {
                    "app_label": options.app_label,
                    "model_name": options.model_name,
                    "field_name": field.name,
                    "term": "",
                }
                response = outsider_client.get(reverse("admin:autocomplete"), asked)
                assert HOME not in text_of(response)


def changelist_of(model_admin: admin.ModelAdmin) -> str:
    options = model_admin.model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")


def test_it_finds_the_word_where_it_belongs(home: Belongings, owner_client: Client) -> None:
    """These tests look for a word: prove that the owner's own pages carry it."""
    seen = [
        address.name
        for address in ADDRESSES
        if HOME in text_of(owner_client.get(address.path(home)))
    ]

    changelists = {name for name in seen if name.endswith("_changelist")}
    assert len(changelists) == len(admin_classes())
    assert {"admin:people", "admin:settings", "admin:index"} <= set(seen)


# --- Somebody who is not logged in ------------------------------------------------------------


def test_it_leads_a_stranger_to_the_login_page(subtests: pytest.Subtests, home: Belongings) -> None:
    before = rows_of(home)

    for address in ADDRESSES:
        with trying(subtests, address.name):
            path = address.path(home)
            for ask in (Client().get, Client().post):
                response = ask(path)
                assert HOME not in text_of(response).replace(path, "")
                if address.name not in PUBLIC:
                    assert response.status_code == 302
                    assert response.headers["Location"].startswith(LOGIN_PAGES)
            assert rows_of(home) == before


# --- The owner and the team mate --------------------------------------------------------------


def test_it_changes_nothing_when_a_page_is_looked_at(
    subtests: pytest.Subtests, home: Belongings, owner_client: Client
) -> None:
    before = rows_of(home)

    for address in ADDRESSES:
        with trying(subtests, address.name):
            response = owner_client.get(address.path(home))
            text_of(response)
            assert response.status_code in {200, 302, 405, *_nothing_to_show(address)}
            assert rows_of(home) == before


def _nothing_to_show(address: Address) -> set[int]:
    """What an address may answer when there is nothing to show, or nobody may do it."""
    if address.name == "admin:autocomplete":  # asked for no field
        return {403}
    if address.name.endswith(("_add", "_delete")):  # rows that only Daypost itself writes
        return {403}
    if address.name.endswith("_progress"):  # HTMX stops asking
        return {286}
    return set()


def test_it_shows_a_team_mate_the_same_rows(
    subtests: pytest.Subtests, home: Belongings, team_mate_client: Client, owner_client: Client
) -> None:
    for address in WITH_ROWS:
        with trying(subtests, address.name):
            theirs = team_mate_client.get(address.path(home))
            owners = owner_client.get(address.path(home))

            if address.name in OWNERS_ONLY:
                assert theirs.status_code == 403
            else:
                assert theirs.status_code == owners.status_code
                assert (HOME in text_of(theirs)) == (HOME in text_of(owners))


OWNERS_ONLY = {"admin:remove_person"}


# --- The house rules that make it so ----------------------------------------------------------


def test_it_registers_only_admin_classes_that_know_whose_rows_they_show() -> None:
    assert all(isinstance(model_admin, OwnedAdmin) for model_admin in admin_classes())


def test_it_refuses_an_admin_class_that_does_not() -> None:
    with pytest.raises(TypeError, match="OwnedAdmin"):
        admin.site.register(User)


def test_it_knows_the_workspace_of_every_row(home: Belongings, elsewhere: Belongings) -> None:
    for model in our_models():
        rows = visible(model._default_manager.all(), home.workspace)
        assert rows.filter(pk=home.of(model).pk).exists()
        assert not rows.filter(pk=elsewhere.of(model).pk).exists()


def request_of(user: User) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = user
    request.session = {}  # type: ignore[assignment]
    return request


def test_it_keeps_the_two_workspaces_apart_by_word() -> None:
    assert HOME not in ELSEWHERE
