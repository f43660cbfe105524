import datetime as dt
import time

import pytest
from django.utils.safestring import mark_safe
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import Markup

from campaigns.rendering.merge import (
    MergeError,
    Problem,
    check,
    fields_in,
    render_html,
    render_subject,
    render_text,
)

KNOWN = ["first_name", "last_name", "email", "company.city"]


def only_problem(source: str) -> Problem:
    problems = check(source, KNOWN)
    assert len(problems) == 1, problems
    return problems[0]


# Rendering


def test_it_fills_in_fields() -> None:
    source = "<p>Hi {{ first_name }}, {{ company.city | upcase }}</p>"
    values = {"first_name": "Ana", "company": {"city": "Porto"}}
    assert render_html(source, values) == "<p>Hi Ana, PORTO</p>"
    assert render_text("Hi {{ first_name }}", values) == "Hi Ana"


def test_it_renders_a_missing_field_as_nothing() -> None:
    assert render_html("[{{ a }}{{ b.c.d }}{{ e[0] }}]", {"a": None}) == "[]"


@pytest.mark.parametrize("value", ["<b>&\"'", Markup("<b>&\"'"), mark_safe("<b>&\"'")])
def test_it_escapes_every_value_in_html_however_safe_it_says_it_is(value: str) -> None:
    assert render_html("{{ a }}", {"a": value}) == "&lt;b&gt;&amp;&quot;&#x27;"


def test_it_escapes_nothing_in_plain_text_and_subject() -> None:
    assert render_text("{{ a }}", {"a": 'Tom & "Jerry\'s" <x>'}) == 'Tom & "Jerry\'s" <x>'
    assert render_subject("{{ a }}", {"a": "Tom & Jerry"}) == "Tom & Jerry"


@pytest.mark.parametrize(
    "source",
    [
        '{{ "<script>" }}',
        '{% assign x = "<script>" %}{{ x }}',
        "{{ a | escape }}",
        "{{ b | escape_once }}",
        '{{ "" | append: a }}',
        '{{ "<scr" | append: "ipt>" }}',
        '{{ "%3Cscript%3E" | url_decode }}',
        "{% capture x %}{{ a }}{% endcapture %}{{ x }}",
        '{{ x | default: "<script>" }}',
        '{% for x in list %}{{ x }}{% endfor %}{{ "" }}',
    ],
)
def test_it_lets_no_liquid_put_out_markup(source: str) -> None:
    values = {"a": "<script>", "b": "&lt;script>", "list": ["<script>"]}
    assert render_html(source, values) == "&lt;script&gt;"


def test_it_keeps_captured_text_and_drops_captured_markup() -> None:
    source = '{% capture x %}" onclick="{{ a }}<b>!</b> &amp;{% endcapture %}<a title="{{ x }}">'
    expected = '<a title="&quot; onclick=&quot;O&#x27;Hara! &amp;">'
    assert render_html(source, {"a": "O'Hara"}) == expected


def test_it_breaks_lines_where_asked() -> None:
    source = "{{ a | newline_to_br }}"
    assert render_html(source, {"a": "1 <\r\n2"}) == "1 &lt;<br />\n2"
    assert render_text(source, {"a": "1\n2"}) == "1\n2"
    assert render_html("{{ a | newline_to_br | append: '!' }}", {"a": "1\n2"}) == "1\n2!"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (dt.date(2026, 11, 5), "05.11.2026"),
        (dt.datetime(2026, 11, 5, 12, tzinfo=dt.UTC), "05.11.2026"),
        ("2026-11-05", "05.11.2026"),
        ("5 Nov 2026", "05.11.2026"),
        ("20261105", "05.11.2026"),
        ("soon", "soon"),
        ("", ""),
        (None, ""),
        ("now", "now"),
        ("today", "today"),
    ],
)
def test_it_formats_dates_without_reading_a_clock(value: object, shown: str) -> None:
    assert render_text('{{ a | date: "%d.%m.%Y" }}', {"a": value}) == shown


def test_it_knows_no_current_time() -> None:
    assert render_text("[{{ now }}{{ today }}]", {}) == "[]"
    assert fields_in("{{ now }}") == {"now"}


def test_it_takes_a_default_for_blank_values() -> None:
    source = "{{ a | default: 'there' }}"
    assert [render_text(source, {"a": a}) for a in ("", "  ", None, [], "Ana", 0)] == [
        "there",
        "there",
        "there",
        "there",
        "Ana",
        "0",
    ]


@pytest.mark.parametrize("value", ["", "  ", None])
@pytest.mark.parametrize(
    "condition",
    [
        "a",
        "a != blank",
        "a != ''",
        "a != empty",
        "a != nil",
        "blank != a",
        "'' != a",
        "a contains 'x'",
    ],
)
def test_it_takes_an_empty_field_for_false_and_blank(condition: str, value: object) -> None:
    source = "{% if " + condition + " %}yes{% else %}no{% endif %}"
    assert render_text(source, {"a": value}) == "no"
    assert render_text(source, {}) == "no"
    assert render_text(source, {"a": "x"}) == "yes"
    nested = source.replace("a", "b.a", 1) if condition == "a" else source
    assert render_text(nested, {"a": value, "b": {"a": value}}) == "no"


def test_it_says_how_to_compare_with_a_number() -> None:
    problem = only_problem("\n{% if email > 18 %}{% endif %}")
    assert problem.line == 2
    assert "| plus: 0" in problem.sentence
    source = "{% assign age = email | plus: 0 %}{% if age > 18 %}x{% endif %}"
    assert check(source, KNOWN) == []
    assert render_text(source, {"email": "19"}) == "x"


def test_it_makes_the_subject_one_line() -> None:
    value = "Hi\r\nBcc: all@example.com\x00\u2028 x"
    assert render_subject("{{ a }}\n", {"a": value}) == "Hi Bcc: all@example.com   x".replace(
        "   ", "  "
    )


@settings(deadline=None)
@given(st.text(), st.text())
def test_it_keeps_controls_out_of_the_subject(literal: str, value: str) -> None:
    subject = render_subject(literal.replace("{", "") + "{{ a }}", {"a": value})
    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in subject)
    assert subject == subject.strip()


def test_it_tidies_the_lines_of_plain_text() -> None:
    source = "a  \n{% if x %}\nb\n{% endif %}\n\n\n\nc {{ y }}\n"
    assert render_text(source, {"y": "1 \r\n2"}) == "a\n\nc 1\n2"


@settings(deadline=None)
@given(st.text(), st.text())
def test_it_escapes_any_value(before: str, value: str) -> None:
    html = render_html('<a title="{{ v }}">', {"v": before + value})
    assert not set(html[10:-2]) & set("<>\"'")


def test_it_says_what_does_not_work_with_these_values() -> None:
    with pytest.raises(MergeError) as raised:
        render_html("\n{{ 10 | divided_by: count }}", {"count": 0})
    assert raised.value.line == 2
    assert "divide by 0" in raised.value.sentence


def test_it_refuses_to_render_what_cannot_be_read() -> None:
    for render in (render_html, render_text, render_subject):
        with pytest.raises(MergeError, match="is not closed"):
            render("{{ a", {})


# Limits

HOSTILE = {
    "nested loops": "{% for a in (1..900) %}{% for b in (1..900) %}{% endfor %}{% endfor %}",
    "loops in a row": "{% for a in (1..900) %}{% endfor %}" * 100,
    "long range": "{% for a in (1..999999999999) reversed %}{% endfor %}",
    "long range of strings": "{% for a in (1..'999999999999') reversed %}{% endfor %}",
    "range from a field": "{% for a in (1..n) reversed %}{{ a }}{% endfor %}",
    "range searched": "{% if (1..99999999999) contains 'x' %}{% endif %}",
    "range joined": "{{ (1..99999999999) | join: ',' }}",
    "appends": '{% assign a = "x" %}' + "{% assign a = a | append: a %}" * 60 + "{{ a }}",
    "replacements": '{% assign a = "xxxxxxxx" %}'
    + "{% assign a = a | replace: 'x', a %}" * 60
    + "{{ a }}",
    "captures": "{% assign a = 'xxxxxxxxxx' %}"
    + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 60,
    "products": "{% assign a = 999999 %}" + "{% assign a = a | times: a %}" * 60 + "{{ a }}",
    "exponent": '{{ "1e999999999" | ceil }}',
    "many digits": '{{ "' + "9" * 900 + '" | times: "' + "9" * 50 + '" }}',
    "rounding": "{{ 1.5 | round: 999999999999 }}{{ 1 | divided_by: 0.0 }}",
    "filters": "{% for a in (1..900) %}{{ a" + " | upcase" * 90 + " }}{% endfor %}",
    "output": "{% for a in (1..900) %}" + "x" * 5000 + "{% endfor %}",
    "unclosed": "{{" * 200_000,
    "unclosed with spaces": "{{ a" + " " * 200_000,
    "unclosed raw": "{% raw %}" * 20_000,
    "many fields": "{{ a }}" * 5_000,
    "deep blocks": "{% if a %}" * 300 + "{% endif %}" * 300,
    "deep path": "{{ " + "a[" * 400 + "a" + "]" * 400 + " }}",
    "wide date": "{{ '2026-01-01' | date: '" + "%999999999d" * 20 + "' }}{{ 1 | divided_by: 0 }}",
    "many names": "".join(f"{{% assign a{n} = 1 %}}" for n in range(900)),
    "tags to strip": '{{ "' + "<" * 900 + '" | strip_html }}{{ 1 | divided_by: 0 }}',
    "missing file": "{% include 'etc/passwd' %}",
    "rendered file": "{% render 'etc/passwd' %}",
    "parent": "{% extends 'base' %}",
    "table rows": "{% tablerow a in (1..3) %}{% endtablerow %}",
    "raw": '{% raw %}{{ "<script>" }}{% endraw %}',
    "doc": "{% doc %}{% enddoc %}",
    "echo": "{% echo '<script>' %}",
    "liquid": "{% liquid echo 'x' %}",
    "cycle": "{% cycle '<script>', 'b' %}",
    "counter": "{% increment a %}",
    "safe": "{{ a | safe }}",
    "too long": "x" * 1_000_001,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_ends_a_hostile_template_soon(name: str) -> None:
    started = time.process_time()
    values = {"n": 10**15, "a": "x", "items": list(range(1000))}
    with pytest.raises(MergeError):
        render_html(HOSTILE[name], values)
    check(HOSTILE[name], KNOWN)
    assert time.process_time() - started < 2


def test_it_bounds_loops_over_a_contacts_own_list() -> None:
    source = "{% for a in items %}{% for b in items %}{{ b }}{% endfor %}{% endfor %}"
    assert render_text(source, {"items": [1, 2]}) == "1212"
    with pytest.raises(MergeError, match="1,000 times"):
        render_text(source, {"items": list(range(100))})


def test_it_renders_fast() -> None:
    source = (
        "<table>{% for i in (1..3) %}<tr><td>{{ first_name | default: 'there' }}</td></tr>"
        "{% endfor %}</table><p>{{ a }} {{ b }} {% if c %}{{ c }}{% endif %}</p>" + "<p>x</p>" * 500
    )
    values = {"first_name": "Ana", "a": "1", "b": "2", "c": "3"}
    render_html(source, values)
    started = time.process_time()
    for _ in range(1000):
        render_html(source, values)
    # About 100 µs on an idle core; generous, for a busy one.
    assert time.process_time() - started < 1
