import pytest
from hypothesis import HealthCheck, given, settings

from campaigns.rendering.markup import MarkupError
from campaigns.rendering.merge import MergeError, check, fields_in, render_html, render_text
from campaigns.rendering.sanitize import sanitize
from campaigns.rendering.text import plain_text
from tests.campaigns.rendering.hostile import TEMPLATES


def rendered(html: str, **values: object) -> str:
    return render_text(plain_text(sanitize(html).html), values)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<h1>Hi</h1><p>One <b>two</b>\n three.<br>Four</p>", "Hi\n\nOne two three.\nFour"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("a&nbsp;&amp;&nbsp;b &lt;c&gt; soft&shy;hyphen", "a & b <c> softhyphen"),
        ("<ul><li>One</li><li>Two<ul><li>Deep</li></ul></li></ul>", "- One\n- Two\n  - Deep"),
        ('<ol start="9"><li>One</li><li>Two<br>more</li></ol>', "9. One\n10. Two\n    more"),
        ("<blockquote>a<br>b</blockquote>", "> a\n> b"),
        ("a<hr>b", "a\n\n--------------------\n\nb"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<p>a</p><p style='display:none'>hidden</p><p>b</p>", "a\n\nb"),
        ('<img src="https://e.test/a.png" alt="Our shop">', "Our shop"),
    ],
)  # fmt: skip
def test_it_reads_as_text(html: str, text: str) -> None:
    assert rendered(html) == text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ('See <a href="https://e.test/a?b=1&amp;c=2">our shop</a>!', "See our shop (https://e.test/a?b=1&c=2)!"),
        ('<a href="https://e.test">https://e.test</a>', "https://e.test"),
        ('<a href="mailto:a@e.test">a@e.test</a>', "a@e.test"),
        ('<a href="#top">up</a>', "up"),
        ('<a href="https://e.test"><img src="cid:x" alt="Logo"></a>', "Logo (https://e.test)"),
        ('<a href="https://e.test"><img src="cid:x"></a>', "https://e.test"),
        ("<a>nowhere</a>", "nowhere"),
    ],
)  # fmt: skip
def test_it_shows_where_links_go(html: str, text: str) -> None:
    assert rendered(html) == text


def test_it_reads_tables_by_rows() -> None:
    html = "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>3 €</td></tr></table>"
    assert rendered(html) == "Item | Price\nTea | 3 €"
    layout = "<table><tr><td><p>Left</p></td><td><p>Right</p></td></tr></table>"
    assert rendered(layout) == "Left\n\nRight"


def test_it_keeps_liquid_where_it_stands() -> None:
    html = (
        "<p>Hi {{ name | default: 'you & \"me\"' }},</p>"
        "<table>{% for i in items %}<tr><td>{{ i }}</td><td>x</td></tr>{% endfor %}</table>"
        '<p>{% if url %}<a href="{{ url }}">Open</a>{% else %}No link{% endif %}</p>'
        "<ul>{% for i in items %}<li>{{ i }}</li>{% endfor %}</ul>"
    )
    assert rendered(html, name="", items=["1", "2"], url="https://e.test/?a&b") == (
        'Hi you & "me",\n\n1 | x\n2 | x\n\nOpen (https://e.test/?a&b)\n\n- 1\n- 2'
    )
    assert rendered(html, name="Ana", items=[], url="") == "Hi Ana,\n\nNo link"


def test_it_keeps_the_bullet_of_an_item_that_depends() -> None:
    html = "<ul><li>{% if a %}x{% else %}y{% endif %}</li></ul>"
    assert rendered(html, a="1") == "- x"
    assert rendered(html) == "- y"


def test_it_does_not_make_liquid_of_braces() -> None:
    html = "<p>&#123;{ a }} {<b>{ b }}</b> &#123;% if %} &#123;{{ c }}}</p>"
    assert rendered(html, a="A", b="B", c="C") == "{{ a }} {{ b }} {% if %} {C}"


def test_it_ends_lines_plainly() -> None:
    text = plain_text("<p>a \r\n b</p>\r\n<table><tr><td>x</td><td></td></tr></table>")
    assert text == "a b\n\nx\n"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEMPLATES)
def test_it_can_be_rendered_whenever_the_html_can(source: str) -> None:
    try:
        html = sanitize(source).html
        if any(problem.fatal for problem in check(html, [])):
            return
        values = dict.fromkeys(fields_in(html), "x")
        render_html(html, values)
    except (MarkupError, MergeError):
        return
    text = plain_text(html)
    assert not any(problem.fatal for problem in check(text, []))
    assert all(line == line.rstrip() for line in text.split("\n"))
    render_text(text, values)
