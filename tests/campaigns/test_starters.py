"""The templates to start from."""

import pytest

from campaigns.content import with_footer
from campaigns.delivery.merge_links import example_links
from campaigns.rendering import merge, text
from campaigns.rendering.fields import LINK_FIELDS, STANDARD_FIELDS, WORKSPACE_FIELDS
from campaigns.rendering.links import check_links, links_in
from campaigns.rendering.sanitize import sanitize
from campaigns.starters import STARTERS, Starter, starter

KNOWN = {*STANDARD_FIELDS, *WORKSPACE_FIELDS, *LINK_FIELDS}
OF_EVERYBODY = {"postal_address": "1 High Street\nTregaron", **example_links()}

every_starter = pytest.mark.parametrize("one", STARTERS, ids=lambda one: one.slug)


def test_it_finds_a_starter_by_its_name():
    assert {one.slug for one in STARTERS} >= {"newsletter", "invitation", "announcement", "letter"}
    assert all(starter(one.slug) is one for one in STARTERS)
    assert starter("../settings") is None


@every_starter
def test_it_is_kept_as_it_is(one: Starter):
    sanitized = sanitize(one.html)

    assert sanitized.html == one.html
    assert sanitized.removed == ()


@every_starter
def test_it_is_complete_for_somebody_of_whom_nothing_is_known(one: Starter):
    for source in (one.subject, one.html):
        assert merge.check(source, KNOWN) == []
        assert merge.empty_fields(source, OF_EVERYBODY) == []


@every_starter
def test_it_marks_the_links_that_are_to_be_filled_in(one: Starter):
    links = {link for link in links_in(one.html) if "{{" not in link.url}

    assert len(check_links(one.html, rendered=False)) == len(links)


@every_starter
def test_it_brings_its_own_foot(one: Starter):
    assert with_footer(one.html) == one.html
    assert [link.text for link in links_in(one.html) if "unsubscribe_url" in link.url] == [
        "Unsubscribe"
    ]


@every_starter
def test_it_suits_phones_and_dark_screens(one: Starter):
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in one.html
    assert "@media (prefers-color-scheme: dark)" in one.html
    assert "max-width: 5" in one.html or "max-width: 6" in one.html


@every_starter
def test_it_reads_well_as_plain_text(one: Starter):
    plain = merge.render_text(text.plain_text(one.html), {**OF_EVERYBODY, "first_name": "Ana"})

    assert "Ana" in plain and "Tregaron" in plain
    assert "<" not in plain and "{" not in plain and "\n\n\n" not in plain
    lines = plain.splitlines()
    assert all(line == line.strip() for line in lines if "  " not in line.strip())
