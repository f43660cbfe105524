import re
import time

import pytest
from hypothesis import HealthCheck, example, given, settings

from campaigns.rendering.merge import MergeError, check, render_html
from campaigns.rendering.sanitize import MarkupError, sanitize
from campaigns.rendering.urls import check_rendered, needs_check
from tests.campaigns.rendering.hostile import TEMPLATES, VALUES, dangers_in, url_dangers

NEWSLETTER = """<!doctype html>
<html lang="de" xmlns:v="urn:schemas-microsoft-com:vml"><head>
<meta charset="iso-8859-1"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>News for {{ first_name | default: "you" }}</title>
<style type="text/css">
  body { margin: 0; font-family: "Open Sans", Arial, sans-serif }
  .card td { padding: 8px 12px; color: #333 }
  a:hover { color: #c00 }
  @media only screen and (max-width: 600px) { .card { width: 100% !important } }
</style></head>
<body bgcolor="#f4f4f4" style="margin:0;padding:0">
<center>
<table class="card" width="600" align="center" cellpadding="0" cellspacing="0" border="0">
{% for item in items %}
<tr><td valign="top" bgcolor="#ffffff"><font face="Arial" size="2">{{ item }}</font>&nbsp;</td></tr>
{% else %}
<tr><td colspan="2">Nothing</td></tr>
{% endfor %}
</table>
<h1 style="font-size:20px;line-height:1.2">Hello {{ first_name | default: "you & 'me'" }}</h1>
<p><a href="{{ url | default: 'https://example.com/?a=1&b=2' }}" target="_blank">Open</a>
<img src="https://example.com/logo.png" width="100" height="20" alt="Logo"></p>
<ul><li>One</li></ul><ol start="3"><li>Three</li></ol>
</center>
</body></html>"""


def sanitized(source: str) -> str:
    return sanitize(source).html


def test_it_brings_a_newsletter_through() -> None:
    result = sanitize(NEWSLETTER)
    assert result.removed == ()
    for kept in (
        '<html lang="de">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<title>News for {{ first_name | default: "you" }}</title>',
        'bgcolor="#f4f4f4"',
        "font-family: 'Open Sans', Arial, sans-serif",
        ' width="600"',
        ' align="center"',
        ' cellpadding="0"',
        ' cellspacing="0"',
        ' border="0"',
        "{% for item in items %}\n<tr><td",
        "padding: 8px 12px; color: #333",
        '<font face="Arial" size="2">{{ item }}</font>&nbsp;</td></tr>\n{% else %}\n<tr><td',
        "{% endfor %}\n</table>",
        "{{ first_name | default: \"you & 'me'\" }}</h1>",
        "href=\"{{ url | default: 'https://example.com/?a=1&b=2' }}\"",
        '<ol start="3"><li>Three</li></ol>',
        "a:hover { color: #c00 !important }",
        "@media only screen and (max-width: 600px) {\n.card { width: 100% !important }\n}",
    ):
        assert kept in result.html
    assert ".card td" not in result.html
    assert check(result.html, ["first_name", "items", "url"]) == []
    rendered = check_rendered(render_html(result.html, {"items": ["a", "b"], "url": ""}))
    assert rendered.count("<tr>") == 2
    assert dangers_in(rendered) == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello {{ first_name }}</p>",
        'Hello {{ a | default: "&" }} &amp; {{ b }}',
        "<table>\n{% for x in y %}\n<tr>{% for z in x %}<td>{{ z }}</td>{% endfor %}</tr>\n"
        "{% endfor %}</table>",
        "<table><tbody>{% if a %}<tr><td>x</td></tr>{% endif %}</tbody></table>",
        "<ul>{% for x in y %}<li>{{ x }}</li>{% endfor %}</ul>",
        '<a href="{{ "x" | default: \'y\' }}">z</a>',
        '<a href="https://e.test/?a={{ a | url_encode }}&amp;b=1">z</a>',
        '<a href="{% if a %}https://a.test{% else %}https://b.test{% endif %}">z</a>',
        '<img src="data:image/png;base64,iVBO" alt="x"><img src="cid:logo" alt="{{ a }}">',
        '<a href="mailto:a@e.test">a</a><a href="tel:+123">b</a><a href="#top">c</a>',
        '<td class="{{ a }}">x'.replace("<td", "<p").replace("x", "x</p>"),
        "{% if a %}<p>A</p>{% else %}<p>B</p>{% endif %}",
        "&#123;{ not liquid }} &#123;% nor this %} &#123;{{ liquid }}}",
        '{% assign x = "<b>" %}{% capture y %}z{% endcapture %}{% comment %}c{% endcomment %}',
        "<p>a&nbsp;b é 名</p>",
        "<p>{{ unclosed</p>".replace("</p>", ""),
        "<p style=\"color: red; background: url('https://e.test/a.png')\">x</p>",
    ],
)
def test_it_leaves_good_templates_as_they_are(source: str) -> None:
    closed = "<p>{{ unclosed</p>" if source == "<p>{{ unclosed" else source
    result = sanitize(source)
    assert result.html == closed
    assert result.removed == ()


@pytest.mark.parametrize(
    ("source", "html", "removed"),
    [
        ("a<script>alert(1)</script>b", "ab", ("<script>",)),
        ('<p onclick="x">a</p>', "<p>a</p>", ("onclick",)),
        ('<a href="javascript:x">a</a>', "<a>a</a>", ("javascript: address",)),
        ('<a href=" java&#9;script:x">a</a>', "<a>a</a>", ("javascript: address",)),
        ('<a href="javascript&colon;x">a</a>', "<a>a</a>", ("javascript: address",)),
        ('<img src="data:image/svg+xml,x">', "<img>", ("data: address",)),
        ('<a href="data:image/png;base64,x">a</a>', "<a>a</a>", ("data: address",)),
        ("<iframe src=x>y</iframe>z", "z", ("<iframe>",)),
        ("<form action=x>a<input name=b></form>", "a", ("<form>", "<input>")),
        ("<svg><path d=x></svg>b", "b", ("<svg>",)),
        ("<math><mtext><script>x</script></math>b", "b", ("<math>",)),
        ("<p style='position:fixed;color:red'>a</p>", '<p style="color: red">a</p>', ("position",)),
        ("<p style='background:url(http://e.test)'>a</p>", "<p>a</p>", ("background",)),
        ("<p style='width:expression(1)'>a</p>", "<p>a</p>", ("width",)),
        ("<style>@import 'x'; @font-face{a:b}</style>a", "a", ("@import", "@font-face")),
        ("<link rel=stylesheet href=x>a", "a", ("a linked style sheet",)),
        ("a<!--[if mso]><b>x</b><![endif]-->b", "ab", ("a part for Outlook only",)),
        ("a<!--[if !mso]><!-->x<!--<![endif]-->b", "axb", ()),
        ("a<!-- note -->b", "ab", ()),
    ],
)
def test_it_takes_out_what_a_mail_must_not_hold_and_says_so(
    source: str, html: str, removed: tuple[str, ...]
) -> None:
    result = sanitize(source)
    assert (result.html, result.removed) == (html, removed)


IN_TAG = "Liquid inside a tag"
ACROSS = "Liquid that begins or ends inside an attribute"


@pytest.mark.parametrize(
    ("source", "html", "removed"),
    [
        ("<{{ tag }} onload=x>y</{{ tag }}>", "y", IN_TAG),
        ('<a {% if x %}onclick="a"{% endif %} class="b">y</a>', '<a class="b">y</a>', IN_TAG),
        ("<a {{ attributes }}>y</a>", "<a>y</a>", IN_TAG),
        ('<a on{{ x }}="y">z</a>', "<a>z</a>", IN_TAG),
        ('<a title="{% if x %}">y</a>{% endif %}', "<a>y</a>{% endif %}", ACROSS),
        (
            '{% for x in y %}<a title="{% break %}">z</a>{% endfor %}" onclick="a"',
            '{% for x in y %}<a>z</a>{% endfor %}" onclick="a"',
            ACROSS,
        ),
        ('<a title="{% else %}">y</a>', "<a>y</a>", ACROSS),
        (
            '<p style="color: {{ x }}; margin: 0">y</p>',
            '<p style="margin: 0">y</p>',
            "Liquid in a style",
        ),
        ("<p style=\"font-family: '{{ x }}'\">y</p>", "<p>y</p>", "Liquid in a style"),
        (
            "<p style=\"background: url('https://e.test/{{ x }}')\">y</p>",
            "<p>y</p>",
            "Liquid in a style",
        ),
        ("<style>.{{ x }} { color: red }</style>y", "y", "Liquid in a style"),
        ("<style>{% if x %}a{color:red}{% endif %}</style>y", "y", "Liquid in a style"),
    ],
)
def test_it_keeps_liquid_to_text_and_whole_attributes(source: str, html: str, removed: str) -> None:
    result = sanitize(source)
    assert result.html == html
    assert removed in result.removed


def test_it_keeps_the_liquid_of_comments_but_not_their_text() -> None:
    source = "<!-- {% if a %} secret {{ b }} --><p>x</p><!-- {% endif %} -->"
    assert sanitized(source) == "{% if a %}<p>x</p>{% endif %}"


def test_it_keeps_the_order_of_liquid_around_a_document() -> None:
    source = (
        "{% if a %}<html><head>{% if b %}<title>t</title>{% endif %}</head><body>c</body></html>"
        "{% else %}<p>d</p>{% endif %}"
    )
    html = sanitized(source)
    tags = ["{% if a %}", "{% if b %}", "{% endif %}", "c", "{% else %}", "<p>d</p>", "{% endif %}"]
    positions = []
    for tag in tags:
        positions.append(html.index(tag, positions[-1] + 1 if positions else 0))
    assert check(html, ["a", "b"]) == []


def test_it_cannot_be_fooled_by_a_word_of_the_mask() -> None:
    source = "<p>lq_000000000000000000000000_0_ {{ a }}</p>"
    assert sanitized(source) == source


@pytest.mark.parametrize(
    "css",
    [
        'a { font-family: "</style><script>x</script>" }',
        "a[title='</style>'] { color: red }",
        "a { color: red } </style><script>x</script>",
        "@media screen { a { color: red; background: url(javascript:x) } }",
        "a:hover { background: url('//e.test/x') }",
        "a:hover { color: \\72 ed; beh\\61vior: url(x) }",
        "a:hover { position: absolute; top: 0 }",
        "@media { <!-- } --> a:hover { -moz-binding: url(x) }",
    ],
)
def test_it_cleans_style_sheets(css: str) -> None:
    html = sanitized(f"<style>{css}</style><a title=x>y</a>")
    assert dangers_in(html) == []
    assert sanitized(html) == html


def test_it_writes_plain_rules_into_the_elements_by_their_weight() -> None:
    source = (
        "<style>p { color: red; margin: 0 } #x { color: blue } .y { color: green }</style>"
        '<p id="x" class="y" style="padding: 1px">a</p>'
    )
    html = sanitized(source)
    assert "color: blue" in html
    assert "color: red" not in html
    assert "margin: 0" in html
    assert "padding: 1px" in html


def test_it_refuses_what_it_could_not_read_in_time() -> None:
    hostile = [
        "<div>" * 10_000,
        "<p>x</p>" * 20_000,
        "<p>" + "".join(f"<b id={n}>" for n in range(150)) + "<p>x" * 5_000,
        "<a " + "".join(f"b{n} " for n in range(100_000)) + ">",
        "<a " + "".join(f'b{n}=""' for n in range(100_000)) + ">",
        "x" * 1_000_001,
    ]
    started = time.process_time()
    for source in hostile:
        with pytest.raises(MarkupError):
            sanitize(source)
    assert time.process_time() - started < 15


@pytest.mark.parametrize("source", ["<!--" * 5_000, "{{" * 100_000, "<" * 5_000, "&" * 5_000])
def test_it_reads_endless_openings_in_time(source: str) -> None:
    started = time.process_time()
    sanitize(source)
    assert time.process_time() - started < 15


# After rendering


@pytest.mark.parametrize(
    ("value", "href"),
    [
        ("https://e.test/?a=1&b=2", "https://e.test/?a=1&amp;b=2"),
        ("mailto:a@e.test", "mailto:a@e.test"),
        ("/relative", "/relative"),
        ("", ""),
        ("javascript:alert(1)", "#"),
        ("java\tscript:alert(1)", "#"),
        ("\x01 JAVASCRIPT:alert(1)", "#"),
        ("java&#115;cript:alert(1)", "java&amp;#115;cript:alert(1)"),
        ("data:text/html,x", "#"),
        ("vbscript:x", "#"),
        ("blob:https://e.test/x", "#"),
    ],
)
def test_it_checks_addresses_again_when_rendered(value: str, href: str) -> None:
    template = sanitized('<p><a class="b" href="{{ url }}" title="t">x</a></p>')
    rendered = check_rendered(render_html(template, {"url": value}))
    assert rendered == f'<p><a class="b" href="{href}" title="t">x</a></p>'


def test_it_drops_the_source_of_an_image_that_may_not_be() -> None:
    template = sanitized('<img src="{{ url }}" alt="x"><td background="{{ url }}">')
    for bad in ("javascript:x", "data:image/svg+xml,x", "mailto:x"):
        rendered = check_rendered(render_html(template, {"url": bad}))
        assert rendered.startswith('<img alt="x">')
    good = check_rendered(render_html(template, {"url": "data:image/png;base64,x"}))
    assert good.startswith('<img src="data:image/png;base64,x" alt="x">')


def test_it_leaves_text_that_looks_like_an_address_alone() -> None:
    html = '<p>Write href="javascript:x" to try it, or src="data:x".</p>'
    assert check_rendered(html) == html


def test_it_finds_a_scheme_put_together_by_liquid() -> None:
    template = sanitized('<a href="{% if a %}java{% endif %}script:x">y</a>')
    assert needs_check(template)
    assert check_rendered(render_html(template, {"a": "1"})) == '<a href="#">y</a>'


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ('<a href="{{ url }}">x</a>', True),
        ('<a href="x{{ url }}">x</a>', True),
        ('<img alt="{{ a }}" src="{{ url }}">', True),
        ('<td background="{% if a %}x{% endif %}">', True),
        ('<a href="https://e.test/{{ a }}">x</a>', False),
        ('<a href="/{{ a }}">x</a>', False),
        ('<a href="mailto:{{ a }}">x</a>', False),
        ('<a href="#{{ a }}" title="{{ b }}">{{ c }}</a>', False),
        ("<p>{{ a }}</p>", False),
    ],
)
def test_it_knows_when_addresses_need_checking(source: str, needed: bool) -> None:
    assert needs_check(source) is needed


def test_it_checks_fast() -> None:
    html = '<p class="a">text <a href="https://e.test/?a=1&amp;b=2" style="color: red">x</a></p>\n'
    html = html * (10_000 // len(html))
    started = time.process_time()
    for _ in range(100):
        check_rendered(html)
    # About 0.3 ms for each on an idle core; generous, for a busy one.
    assert time.process_time() - started < 0.5


# Whatever goes in

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@FUZZ
@given(TEMPLATES, VALUES, VALUES)
@example('<a title="{% if c %}">{% endif %}" onclick="x', "", "")
@example('{% capture c %}" onclick=x y="{% endcapture %}<a href="{{ c }}">', "", "")
@example('{% for i in list %}<a title="{% break %}">{% endfor %}" onclick=x', "", "")
@example(
    "<math><mtext><table><mglyph><style><!--</style><img title='--><img src=x onerror=y>'>", "", ""
)
@example("<noscript><p title='</noscript><img src=x onerror=y>'>", "", "")
@example("<title>{% if a %}</title><script>x</script>{% endif %}", "", "")
def test_it_renders_nothing_dangerous(source: str, a: str, b: str) -> None:
    try:
        template = sanitize(source).html
    except MarkupError:
        return
    assert dangers_in(check_rendered(template)) == [] or "{" in template
    try:
        rendered = render_html(template, {"a": a, "b": b, "list": [a, b]})
    except MergeError:
        return
    if needs_check(template):
        rendered = check_rendered(rendered)
    assert dangers_in(rendered) == []


@FUZZ
@given(TEMPLATES)
@example("<plaintext><pre>\n<")
@example("<blink>a\n\nb\nc</blink>")
def test_it_changes_nothing_the_second_time(source: str) -> None:
    try:
        once = sanitize(source).html
    except MarkupError:
        return
    again = sanitize(once)
    assert again.html == once
    assert again.removed == ()


@settings(deadline=None)
@given(VALUES)
def test_it_sees_every_scheme_that_mail_programs_see(url: str) -> None:
    rendered = check_rendered(render_html('<a href="{{ url }}">x</a>', {"url": url}))
    href = rendered.partition('href="')[2].partition('"')[0]
    assert url_dangers(href) == []


def test_it_makes_paragraphs_of_a_letter_typed_without_markup() -> None:
    typed = "Dear {{ first_name }},\n\nthe meeting is on 4 March\nat seven.\n\nThe secretary"
    html = sanitize(typed).html
    assert html.count("<p>") == 3
    assert re.search(r"on 4 March<br ?/?>\s*at seven\.", html)
    assert sanitize(html).html == html
    assert sanitize("<b>One</b>\n\nTwo").html.count("<p>") == 0
