import pytest

from campaigns.rendering.links import Link, check_links, links_in
from campaigns.rendering.sanitize import sanitize


def test_it_lists_links_with_their_text() -> None:
    html = (
        '<p><a href="https://e.test/?a=1&amp;b=2">Our <b>new</b>\n shop</a> <a>none</a>'
        '<a href="{{ url | default: "https://x.test" }}">{{ name }}</a></p>'
    )
    assert links_in(html) == [
        Link("https://e.test/?a=1&b=2", "Our new shop"),
        Link('{{ url | default: "https://x.test" }}', "{{ name }}"),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "http://example.com:8080/a%20b?c=d#e",
        "https://münchen.de/ä",
        "https://8.8.8.8/",
        "mailto:a@example.com?subject=Hi%20there",
        "tel:+49 89 1234",
        "#top",
        "cid:logo",
    ],
)
def test_it_finds_nothing_wrong_with_good_links(url: str) -> None:
    assert check_links(f'<a href="{url}">x</a>') == []


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "goes nowhere"),
        ("#", "goes nowhere"),
        ("www.example.com", "does not begin with https://"),
        ("/about", "does not begin with https://"),
        ("https://", "not complete"),
        ("https:example.com", "not complete"),
        ("https://example", "not complete"),
        ("https://exa mple.com", "not complete"),
        ("https://example.com/a b", "not complete"),
        ("https://example.com:port/", "not complete"),
        ("https://[bad/", "not complete"),
        ("http://localhost:8000/", "only on this machine"),
        ("http://127.0.0.1/", "only on this machine"),
        ("http://192.168.1.5/", "only on this machine"),
        ("http://nas.local/", "only on this machine"),
        ("mailto:someone", "no mail address"),
        ("tel:", "no telephone number"),
        ("ftp://example.com", "do not open"),
        ("https://example.com/{{ id }}", "not filled in"),
    ],
)
def test_it_says_what_is_wrong_with_a_link(url: str, words: str) -> None:
    (problem,) = check_links(f'<a href="{url}">x</a>')
    assert words in problem.sentence
    assert problem.link == Link(url, "x")


def test_it_says_it_once_for_the_same_link() -> None:
    assert len(check_links('<a href="/a">x</a><a href="/a">x</a><a href="/b">x</a>')) == 2


def test_it_leaves_links_with_liquid_aside_in_a_template() -> None:
    html = sanitize('<a href="{{ url }}">a</a><a href="/b{{ c }}">b</a><a href="/d">d</a>').html
    assert [problem.link.text for problem in check_links(html, rendered=False)] == ["d"]
