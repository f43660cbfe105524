"""Templates: writing, refusing, copying, deleting, and whose they are."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils.html import escape

from campaigns.models import Campaign, Contact, ContactField, Template
from tests.belongings import Belongings

LIST = reverse("admin:campaigns_template_changelist")
ADD = reverse("admin:campaigns_template_add")
GOOD = {
    "name": "Spring",
    "subject": 'Hello {{ first_name | default: "there" }}',
    "html": "<p>It is spring.</p>",
}


def change(template: Template) -> str:
    return reverse("admin:campaigns_template_change", args=[template.pk])


def typed(**fields: str) -> dict[str, str]:
    return GOOD | fields


def errors(answer: HttpResponse) -> dict[str, Any]:
    """What the form refused; the page was shown again."""
    assert answer.status_code == 200
    found: dict[str, Any] = answer.context["form"].errors  # type: ignore[attr-defined]
    return found


# --- Saving -----------------------------------------------------------------------------------


def test_it_keeps_a_template_and_stays_in_the_editor(home: Belongings, owner_client: Client):
    answer = owner_client.post(ADD, typed(), follow=True)

    kept = Template.objects.get(workspace=home.workspace, name="Spring")
    assert (kept.subject, kept.html) == (GOOD["subject"], GOOD["html"])
    assert answer.redirect_chain == [(change(kept), 302)]
    assert "Saved." in answer.content.decode()


def test_it_says_what_sanitising_removed_and_shows_what_is_kept(
    home: Belongings, owner_client: Client
):
    html = '<p onclick="steal()">Hello</p><script>steal()</script>'

    answer = owner_client.post(ADD, typed(html=html), follow=True)

    assert Template.objects.get(name="Spring").html == "<p>Hello</p>"
    page = answer.content.decode()
    assert "Removed, as a mail must not hold it: &lt;script&gt;, onclick." in page
    assert escape("<p>Hello</p>") in page
    assert "steal()" not in page


def test_it_changes_a_template_without_finding_its_own_name_taken(
    home: Belongings, owner_client: Client
):
    template = home.of(Template)

    owner_client.post(change(template), typed(name=template.name, html="<p>New</p>"))

    template.refresh_from_db()
    assert template.html == "<p>New</p>"


def test_it_keeps_an_unknown_field_and_warns(home: Belongings, owner_client: Client):
    answer = owner_client.post(ADD, typed(html="<p>Hi {{ frist_name }}</p>"), follow=True)

    assert Template.objects.filter(name="Spring").exists()
    page = answer.content.decode()
    assert "There is no field <code>frist_name</code>." in page
    assert 'data-better="first_name"' in page


# --- Refusing, each with a sentence and all that was typed --------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "Give it a name."),
        ("name", "n" * 201, "Make the name 200 characters or shorter."),
        ("subject", "", "Write a subject."),
        ("subject", "  ", "Write a subject."),
        ("subject", "s" * 501, "Make the subject 500 characters or shorter."),
        ("subject", "Hello\r\nBcc: all@example.com", "A subject is one line."),
        ("subject", "Hello\u2028you", "A subject is one line."),
        ("subject", "Hello {{ first_name", "Not saved: this cannot be read yet."),
        ("html", "", "Write the message."),
        ("html", "<p>{% if first_name %}Hi</p>", "Not saved: this cannot be read yet."),
        ("html", "<p>{{ first_name | shout }}</p>", "Not saved: this cannot be read yet."),
        ("html", "<p>" + "long " * 210_000 + "</p>", "Not saved: this cannot be read yet."),
        ("html", "<div>" * 300, "This HTML is nested too deeply"),
        ("html", "<script>only()</script>", "Nothing of this may stand in a mail (<script>)."),
    ],
    ids=lambda value: value[:24],
)
def test_it_refuses_and_keeps_what_was_typed(
    field: str, value: str, sentence: str, home: Belongings, owner_client: Client
):
    answer = owner_client.post(ADD, typed(**{field: value}))

    assert list(errors(answer)) == [field]
    assert errors(answer)[field][0].startswith(sentence)
    for name, text in typed(**{field: value}).items():
        assert answer.context["form"][name].value() == text
    assert not Template.objects.filter(name="Spring").exists()


def test_it_says_in_which_line_and_why(home: Belongings, owner_client: Client):
    answer = owner_client.post(ADD, typed(html="<p>Hi</p>\r\n<p>{% if first_name %}Hi</p>"))

    page = answer.content.decode()
    assert "Line 2: <code>{% if %}</code> is not closed by <code>{% endif %}</code>." in page
    assert 'data-line="2"' in page


def test_it_refuses_a_change_and_leaves_what_is_kept(home: Belongings, owner_client: Client):
    template = home.of(Template)
    before = template.html

    answer = owner_client.post(change(template), typed(html="<p>{{ first_name</p>"))

    assert list(errors(answer)) == ["html"]
    template.refresh_from_db()
    assert template.html == before
    assert escape("<p>{{ first_name</p>") in answer.content.decode()


def test_it_refuses_a_name_that_is_taken_here(home: Belongings, owner_client: Client):
    answer = owner_client.post(ADD, typed(name=home.of(Template).name))

    assert errors(answer)["name"] == ["Another template has this name. Choose a different one."]


def test_it_takes_a_name_that_is_taken_elsewhere(
    home: Belongings, elsewhere: Belongings, owner_client: Client
):
    name = elsewhere.of(Template).name

    owner_client.post(ADD, typed(name=name))

    assert Template.objects.filter(workspace=home.workspace, name=name).exists()


def test_it_refuses_what_only_sanitising_breaks(home: Belongings, owner_client: Client):
    html = "<p>Hi</p><script>{% if first_name %}</script>you{% endif %}"

    answer = owner_client.post(ADD, typed(html=html))

    assert list(errors(answer)) == ["html"]
    assert "<script>" in errors(answer)["html"][0]
    assert not Template.objects.filter(name="Spring").exists()


# --- Starting ---------------------------------------------------------------------------------


def test_it_offers_something_to_start_from(home: Belongings, owner_client: Client):
    page = owner_client.get(ADD).content.decode()

    assert 'href="?start=newsletter"' in page
    assert reverse("admin:campaigns_template_starter", args=["newsletter"]) in page
    assert 'href="?start=blank"' in page


def test_it_starts_with_what_was_chosen(home: Belongings, owner_client: Client):
    form = owner_client.get(f"{ADD}?start=letter").context["form"]
    assert form["name"].value() == "Letter"
    assert "Dear {{ first_name" in form["html"].value()

    Template.objects.create(workspace=home.workspace, name="Letter", subject="S", html="h")
    assert owner_client.get(f"{ADD}?start=letter").context["form"]["name"].value() == "Letter 2"
    assert not owner_client.get(f"{ADD}?start=blank").context["form"]["html"].value()


def test_it_offers_the_fields_of_this_workspace(
    home: Belongings, elsewhere: Belongings, owner_client: Client
):
    page = owner_client.get(f"{ADD}?start=blank").content.decode()

    for code in ('{{ first_name | default: "there" }}', "{{ postal_address }}", "{{ email }}"):
        assert escape(code) in page
    assert f"{{{{ {home.of(ContactField).name} }}}}" in page
    assert elsewhere.of(ContactField).name not in page


# --- The list ---------------------------------------------------------------------------------


def test_it_lists_and_finds_templates(home: Belongings, owner_client: Client):
    owner_client.post(ADD, typed())

    def found(words: str) -> list[str]:
        return [row.name for row in owner_client.get(LIST, {"q": words}).context["cl"].result_list]

    assert found("") == ["Spring", "zebra template"]
    assert found("spring") == ["Spring"]
    assert found("zebra for") == ["zebra template"]


def test_it_leads_from_the_number_of_campaigns_to_them(home: Belongings, owner_client: Client):
    page = owner_client.get(LIST).content.decode()

    link = f"{reverse('admin:campaigns_campaign_changelist')}?template__id__exact="
    assert f'href="{link}{home.of(Template).pk}">1 campaign</a>' in page
    answer = owner_client.get(f"{link}{home.of(Template).pk}")
    assert home.of(Campaign).name in answer.content.decode()
    assert home.of(Campaign).name not in owner_client.get(f"{link}0").content.decode()


# --- Copying and deleting -----------------------------------------------------------------------


def test_it_copies_under_a_name_of_its_own(home: Belongings, owner_client: Client):
    template = home.of(Template)
    copy = reverse("admin:campaigns_template_copy", args=[template.pk])

    answers = [owner_client.post(copy, follow=True) for _time in range(2)]

    copies = Template.objects.exclude(pk=template.pk).order_by("pk")
    assert [one.name for one in copies] == ["zebra template (copy)", "zebra template (copy 2)"]
    assert {(one.subject, one.html) for one in copies} == {(template.subject, template.html)}
    assert answers[0].redirect_chain == [(change(copies[0]), 302)]


def test_it_copies_a_template_with_the_longest_name(home: Belongings, owner_client: Client):
    long = Template.objects.create(
        workspace=home.workspace, name="n" * 200, subject="S", html="<p>h</p>"
    )

    owner_client.post(reverse("admin:campaigns_template_copy", args=[long.pk]))

    assert Template.objects.filter(name="n" * 193 + " (copy)").exists()


def test_it_copies_nothing_when_only_looked_at(home: Belongings, owner_client: Client):
    copy = reverse("admin:campaigns_template_copy", args=[home.of(Template).pk])

    assert owner_client.get(copy).status_code == 405
    assert Template.objects.count() == 1


def test_it_asks_before_deleting_and_names_the_drafts(home: Belongings, owner_client: Client):
    template, launched = home.of(Template), home.of(Campaign)
    draft = Campaign.objects.create(workspace=home.workspace, name="Summer fair", template=template)
    delete = reverse("admin:campaigns_template_delete", args=[template.pk])

    page = owner_client.get(delete).content.decode()
    assert "This draft uses it" in page and "Summer fair" in page
    assert launched.name not in page
    assert Template.objects.filter(pk=template.pk).exists()

    owner_client.post(delete, {"post": "yes"})
    assert not Template.objects.filter(pk=template.pk).exists()
    draft.refresh_from_db()
    assert draft.template is None


def test_it_asks_before_deleting_several(home: Belongings, owner_client: Client):
    template = home.of(Template)
    Campaign.objects.create(workspace=home.workspace, name="Summer fair", template=template)
    selection = {"action": "delete_selected", "_selected_action": [template.pk]}

    page = owner_client.post(LIST, selection).content.decode()
    assert "Delete 1 template?" in page and "Summer fair" in page
    assert Template.objects.filter(pk=template.pk).exists()

    owner_client.post(LIST, selection | {"post": "yes"})
    assert not Template.objects.filter(pk=template.pk).exists()


# --- An outsider --------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["change", "delete", "copy", "kept_preview"])
def test_it_shows_an_outsider_nothing(view: str, home: Belongings, outsider_client: Client):
    template = home.of(Template)
    address = reverse(f"admin:campaigns_template_{view}", args=[template.pk])
    count = Template.objects.count()

    assert outsider_client.get(address).status_code == 404
    assert outsider_client.post(address, {"post": "yes"} | typed()).status_code == 404
    assert Template.objects.count() == count
    assert Template.objects.get(pk=template.pk).name == "zebra template"


def test_it_lists_an_outsider_only_their_own(home: Belongings, outsider_client: Client):
    assert "zebra" not in outsider_client.get(LIST).content.decode()


# --- Gaps ---------------------------------------------------------------------------------------


def test_it_counts_the_people_for_whom_a_field_is_empty(
    home: Belongings, elsewhere: Belongings, owner_client: Client
):
    for number in range(3):
        Contact.objects.create(workspace=home.workspace, email=f"c{number}@example.com")
    # Somebody with the column, but nothing in it; people elsewhere do not count.
    field = home.of(ContactField).name
    Contact.objects.create(workspace=home.workspace, email="d@example.com", fields={field: ""})
    html = f"<p>{{{{ {field} }}}} and {{{{ last_name }}}}</p>"

    page = owner_client.post(ADD, typed(html=html), follow=True).content.decode()

    assert f"<code>{field}</code> is empty for 4 contacts." in page
    assert "<code>last_name</code> is empty for 4 contacts." in page
    assert f"{{{{ {field} | default: &quot;…&quot; }}}}" in page
