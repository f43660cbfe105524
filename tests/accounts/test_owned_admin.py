"""What every admin page shares: what it saves, and what it may be asked."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client

from accounts.admin import GmailAccountForm
from accounts.models import GmailAccount, Workspace
from accounts.workspace_settings import WorkspaceForm
from campaigns.models import Campaign, Contact, ContactList, Template
from tests.belongings import Belongings

# --- Saving -----------------------------------------------------------------------------------


def typed_into(form: Any, **changes: object) -> dict[str, object]:
    """What a browser posts: all that the form shows, with some of it changed."""
    shown = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in (shown | changes).items()}


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, form: type[Any], happens: Callable[[], object]
) -> None:
    """Let something happen after the form has read its row, before it is saved."""
    cleaned = form._post_clean

    def clean_and_be_late(self: Any) -> None:
        cleaned(self)
        happens()

    monkeypatch.setattr(form, "_post_clean", clean_and_be_late)


def change_page(row: Model) -> str:
    return f"/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"


def test_it_undoes_nothing_that_happened_while_an_account_was_being_saved(
    home: Belongings, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = home.of(GmailAccount)
    GmailAccount.objects.update(sealed_secret="sealed", learned_limit=None)
    page = change_page(account)
    form = owner_client.get(page).context["adminform"].form
    mine = GmailAccount.objects.filter(pk=account.pk)
    meanwhile(
        monkeypatch,
        GmailAccountForm,
        lambda: mine.update(sealed_secret="", state="disconnected", learned_limit=70, limit=300),
    )

    answer = owner_client.post(page, typed_into(form, display_name="Zebra post"))

    assert answer.status_code == 302
    account.refresh_from_db()
    assert account.display_name == "Zebra post"
    assert (account.sealed_secret, account.state) == ("", "disconnected")
    assert (account.learned_limit, account.limit) == (70, 300)


def test_it_undoes_nothing_that_happened_while_settings_were_being_saved(
    home: Belongings, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = owner_client.get("/settings/").context["form"]
    meanwhile(
        monkeypatch, WorkspaceForm, lambda: Workspace.objects.update(postal_address="2 New Street")
    )

    owner_client.post("/settings/", typed_into(form, name="Zebra choir"))

    home.workspace.refresh_from_db()
    assert home.workspace.name == "Zebra choir"
    assert home.workspace.postal_address == "2 New Street"


def test_it_saves_a_contact_with_all_that_follows_from_it(
    home: Belongings, owner_client: Client
) -> None:
    contact = home.of(Contact)
    page = change_page(contact)
    form = owner_client.get(page).context["adminform"].form
    before = contact.updated_at

    owner_client.post(page, typed_into(form, email="Zoe@gmial.com", field_zebra_no="18"))

    contact.refresh_from_db()
    assert (contact.email, contact.email_key) == ("Zoe@gmial.com", "zoe@gmial.com")
    assert contact.suspicious == "gmail.com"
    assert contact.fields == {"zebra_no": "18"}
    assert contact.updated_at > before


def test_it_saves_a_template_sanitised(home: Belongings, owner_client: Client) -> None:
    template = home.of(Template)
    page = change_page(template)
    form = owner_client.get(page).context["adminform"].form
    before = template.updated_at

    owner_client.post(page, typed_into(form, html="<p>New</p><script>x</script>"))

    template.refresh_from_db()
    assert "New" in template.html and "script" not in template.html
    assert template.updated_at > before


def test_it_saves_nothing_where_nothing_was_changed(
    home: Belongings, owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = home.of(GmailAccount)
    form = owner_client.get(change_page(account)).context["adminform"].form
    written: list[Any] = []
    monkeypatch.setattr(
        GmailAccount, "save", lambda self, **asked: written.append(asked["update_fields"])
    )

    owner_client.post(change_page(account), typed_into(form))

    assert written == [[]]


# --- Asking -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        "campaigns/message/?raw__regex=reset",
        "campaigns/message/?raw__isnull=0",
        "campaigns/message/export/?raw__contains=reset",
        "campaigns/message/?account__sealed_secret__startswith=g",
        "accounts/gmailaccount/?sealed_secret__startswith=g",
        "campaigns/contact/?lists__workspace__name__startswith=z",
        "campaigns/campaign/?accounts__sealed_secret__startswith=g",
    ],
)
def test_it_refuses_what_no_filter_and_no_link_asks(
    question: str, home: Belongings, owner_client: Client
) -> None:
    assert owner_client.get(f"/{question}").status_code == 400


def test_it_answers_what_filters_and_links_ask(home: Belongings, owner_client: Client) -> None:
    campaign, template = home.of(Campaign).pk, home.of(Template).pk
    for question in (
        f"campaigns/message/?campaign__id__exact={campaign}&state__exact=sent",
        f"campaigns/message/export/?campaign__id__exact={campaign}",
        f"campaigns/campaign/?template__id__exact={template}&state__exact=sending",
        f"campaigns/contact/?list={home.of(ContactList).pk}&q=zebra&o=1&p=1",
        "campaigns/contact/?standing=odd",
    ):
        assert owner_client.get(f"/{question}").status_code == 200, question
