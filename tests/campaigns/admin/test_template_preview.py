"""The preview: what it shows, to whom, and under which policy."""

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from campaigns.admin.template_place import with_anchor, with_sign
from campaigns.models import Contact, Template
from tests.belongings import Belongings

pytestmark = pytest.mark.only_shows

PREVIEW = reverse("admin:campaigns_template_preview")
REMARKS = reverse("admin:campaigns_template_remarks")
PEOPLE = reverse("admin:campaigns_template_people")


def shown(client: Client, html: str, **more: str) -> str:
    answer = client.post(PREVIEW, {"html": html, **more})
    assert answer.status_code == 200
    return answer.content.decode()


def policy(answer: HttpResponse) -> dict[str, str]:
    header = answer.headers["Content-Security-Policy"]
    parts = [part.strip().partition(" ") for part in header.split(";")]
    return {name: sources for name, _space, sources in parts}


# --- What it shows ------------------------------------------------------------------------------


def test_it_shows_what_was_typed_before_it_is_kept(home: Belongings, owner_client: Client):
    assert "<p>Hi zebra</p>" in shown(owner_client, "<p>Hi {{ first_name }}</p>")
    assert Template.objects.count() == 1


def test_it_shows_what_is_kept(home: Belongings, owner_client: Client):
    kept = reverse("admin:campaigns_template_kept_preview", args=[home.of(Template).pk])

    assert "<p>Hi zebra, zebra.</p>" in owner_client.get(kept).content.decode()


@pytest.mark.parametrize("who", ["ana@example.org", "ANA@example.org", "ana", "An", "Ana Jo", "jo"])
def test_it_writes_to_the_contact_that_was_chosen(who: str, home: Belongings, owner_client: Client):
    Contact.objects.create(
        workspace=home.workspace, email="ana@example.org", first_name="Ana", last_name="Jones"
    )

    assert "Hi Ana Jones" in shown(owner_client, "<p>Hi {{ name }}</p>", contact=who)


def test_it_writes_to_the_first_contact_when_nobody_is_meant(
    home: Belongings, owner_client: Client
):
    page = owner_client.post(REMARKS, {"html": "", "contact": "nobody"}).content.decode()

    assert "Nobody here begins with “nobody”. This is the first contact." in page
    assert "Hi zebra" in shown(owner_client, "<p>Hi {{ first_name }}</p>", contact="nobody")


def test_it_invents_somebody_where_there_are_no_contacts(home: Belongings, owner_client: Client):
    Contact.objects.all().delete()

    assert "Hi Ana" in shown(owner_client, "<p>Hi {{ first_name }}</p>")
    page = owner_client.post(REMARKS, {"subject": "For {{ name }}"}).content.decode()
    assert "Ana is invented" in page and "For Ana Example" in page


def test_it_shows_subject_and_plain_text_beside_it(home: Belongings, owner_client: Client):
    source = {"subject": "For {{ first_name }}", "html": "<h1>Hi {{ first_name }}</h1><p>Bye</p>"}

    page = owner_client.post(REMARKS, source).content.decode()

    assert '<strong id="shown_subject" hx-swap-oob="innerHTML">For zebra</strong>' in page
    text = page.partition('<pre id="shown_text"')[2].partition("</pre>")[0]
    assert "Hi zebra" in text and "Bye" in text and "<" not in text.partition(">")[2]


def test_it_adds_the_foot_that_launch_adds(home: Belongings, owner_client: Client):
    assert "1 zebra Street" in shown(owner_client, "<p>Hi</p>")


def test_it_keeps_what_it_showed_while_the_message_cannot_be_read(
    home: Belongings, owner_client: Client
):
    answer = owner_client.post(PREVIEW, {"html": "<p>{{ first_name"})
    assert (answer.status_code, answer.content) == (204, b"")

    page = owner_client.post(REMARKS, {"html": "<p>{{ first_name"}).content.decode()
    assert "is not closed by" in page
    assert "The preview waits" in page


def test_it_says_why_in_the_frame_where_there_is_no_script(home: Belongings, owner_client: Client):
    page = shown(owner_client, "<p>{{ first_name", alone="1")

    assert "<code>{{</code> is not closed by <code>}}</code>." in page


@pytest.mark.parametrize("html", ["", "<", "{{", "{% %}", "\x00", "<div>" * 500, "é" * 1_100_000])
def test_it_answers_whatever_is_typed(html: str, home: Belongings, owner_client: Client):
    typed = {"html": html, "subject": html[:100], "contact": html[:100], "cursor": html[:100]}

    assert owner_client.post(PREVIEW, typed).status_code in (200, 204)
    assert owner_client.post(REMARKS, typed).status_code == 200


def test_it_says_which_links_look_broken(home: Belongings, owner_client: Client):
    html = '<p>Hi</p>\n<a href="https://">our site</a> <a href="https://example.org/">fine</a>'

    page = owner_client.post(REMARKS, {"html": html}).content.decode()

    assert "The address <code>https://</code> is not complete or misspelt." in page
    assert "It stands behind “our site”." in page
    assert 'data-line="2" data-column="10" data-found="https://"' in page
    assert page.count("is not complete") == 1


def test_it_warns_of_what_gmail_would_cut(home: Belongings, owner_client: Client):
    page = owner_client.post(REMARKS, {"html": "<p>" + "long " * 24_000 + "</p>"})

    assert "This is 120 kB long." in page.content.decode()


# --- Whom it knows ------------------------------------------------------------------------------


def test_it_knows_nobody_elsewhere(
    home: Belongings, elsewhere: Belongings, outsider_client: Client
):
    page = shown(outsider_client, "<p>Hi {{ email }}</p>", contact="zebra@example.com")
    remarks = outsider_client.post(REMARKS, {"contact": "zebra@example.com"}).content.decode()
    people = outsider_client.get(PEOPLE, {"contact": "z"}).content.decode()

    assert "Hi otter@example.com" in page
    assert "zebra" not in page + people + remarks.replace("“zebra@example.com”", "")


def test_it_proposes_contacts_as_one_types(home: Belongings, owner_client: Client):
    Contact.objects.create(
        workspace=home.workspace, email="ana@example.org", first_name="Ana", last_name="<Jones>"
    )

    people = owner_client.get(PEOPLE, {"contact": "an"}).content.decode()

    assert people.strip() == '<option value="ana@example.org">Ana &lt;Jones&gt;</option>'


@pytest.mark.parametrize("address", [PREVIEW, REMARKS])
def test_it_takes_what_was_typed_only_from_a_form(
    address: str, home: Belongings, owner_client: Client
):
    assert owner_client.get(address, {"html": "<p>Hi</p>"}).status_code == 405

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(home.owner)
    assert strict.post(address, {"html": "<p>Hi</p>"}).status_code == 403


# --- Under which policy -------------------------------------------------------------------------


@pytest.fixture(params=["typed", "kept", "starter"])
def preview(request: pytest.FixtureRequest, home: Belongings, owner_client: Client):
    if request.param == "typed":
        return owner_client.post(PREVIEW, {"html": "<p>Hi</p>"})
    if request.param == "kept":
        args = [home.of(Template).pk]
        return owner_client.get(reverse("admin:campaigns_template_kept_preview", args=args))
    return owner_client.get(reverse("admin:campaigns_template_starter", args=["letter"]))


def test_it_has_no_scripts_no_origin_and_no_way_out(preview: HttpResponse):
    found = policy(preview)

    assert found["default-src"] == "'none'"  # scripts, frames and requests included
    assert "script-src" not in found and "connect-src" not in found
    assert found["sandbox"] == ""
    assert found["frame-ancestors"] == "'self'"
    assert found["form-action"] == "'none'"
    assert "http" not in found["img-src"] and "*" not in found["img-src"]


def test_it_tells_nobody_and_is_not_stored(preview: HttpResponse):
    assert preview.headers["X-Content-Type-Options"] == "nosniff"
    assert preview.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert preview.headers["Referrer-Policy"] == "no-referrer"
    assert "no-store" in preview.headers["Cache-Control"]
    assert preview.headers["Content-Type"] == "text/html; charset=utf-8"


def test_it_sanitises_what_was_typed(home: Belongings, owner_client: Client):
    html = (
        '<p onclick="x()">Hi</p><script>x()</script><a href="javascript:x()">go</a>'
        '<iframe src="https://example.com"></iframe><form action="/"><input></form>'
    )

    page = shown(owner_client, html)

    for trace in ("onclick", "<script", "javascript:", "<iframe", "<form", "x()"):
        assert trace not in page


def test_it_escapes_what_a_contact_brings(home: Belongings, owner_client: Client):
    Contact.objects.create(
        workspace=home.workspace, email="eve@example.org", first_name="<script>x()</script>"
    )

    page = shown(
        owner_client,
        '<p title="{{ first_name }}">{{ first_name }}</p><a href="{{ first_name }}">go</a>',
        contact="eve@example.org",
    )
    remarks = owner_client.post(
        REMARKS, {"subject": "{{ first_name }}", "contact": "eve@example.org"}
    )

    assert "<script" not in page
    assert "<script" not in remarks.content.decode()


# --- It stays where one writes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<p>One</p><p>Tw|o</p>", "<p>One</p><p>Tw^o</p>"),
        ('<p>One</p><p class="a|b">Two</p>', '<p>One</p>^<p class="ab">Two</p>'),
        ("<p>Hi {{ na|me }}</p>", "<p>Hi ^{{ name }}</p>"),
        ('<p>Hi <a href="{{ ur|l }}">x</a></p>', '<p>Hi ^<a href="{{ url }}">x</a></p>'),
        ("<head><title>a|</title></head><body><p>x</p>", None),
        ("<style>p { co|lor: red }</style><p>x</p>", None),
        ("<p>x</p>|", "<p>x</p>^"),
    ],
)
def test_it_finds_a_place_for_the_anchor(before: str, after: str | None):
    source = before.replace("|", "")

    signed = with_sign(source, str(before.index("|")))

    anchor = "<span id=here style=scroll-margin-top:40vh></span>"
    assert with_anchor(signed) == (source if after is None else after.replace("^", anchor))


@pytest.mark.parametrize("cursor", ["", "-1", "x", "³", "9" * 5000])
def test_it_takes_any_cursor(cursor: str):
    assert with_anchor(with_sign("<p>x</p>", cursor)).startswith("<p>x</p>")


def test_it_puts_one_anchor_into_a_loop(home: Belongings, owner_client: Client):
    html = "{% for n in (1..3) %}<p>{{ n }} one</p>{% endfor %}"

    page = shown(owner_client, html, cursor=str(html.index("one")))

    assert page.count("<span id=here") == 1
    assert "<p>3 one</p>" in page


def test_it_shows_no_address_that_a_contact_may_not_bring(
    home: Belongings, owner_client: Client
) -> None:
    Contact.objects.update(fields={"page": "javascript:alert(1)"})
    page = owner_client.post(
        reverse("admin:campaigns_template_preview"), {"html": '<a href="{{ page }}">Here</a>'}
    ).content.decode()
    assert "Here" in page
    assert "javascript:" not in page
