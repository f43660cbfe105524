import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaigns.rendering.merge import (
    MergeError,
    Problem,
    check,
    empty_fields,
    fields_in,
    render_html,
    render_text,
)

KNOWN = ["first_name", "last_name", "email", "company.city"]


def only_problem(source: str) -> Problem:
    problems = check(source, KNOWN)
    assert len(problems) == 1, problems
    return problems[0]


# Checking


def test_it_finds_nothing_wrong_with_a_good_template() -> None:
    source = (
        '{% assign hello = first_name | default: "there" %}{% capture both %}{{ last_name }}'
        "{% endcapture %}Hi {{ hello }} {{ both }}{% for c in (1..3) %}{{ c }}{{ forloop.index }}"
        "{% endfor %}{% if company %}{{ company.city }}{% endif %}{{ email.size }}"
    )
    assert check(source, KNOWN) == []


def test_it_says_which_block_is_not_closed() -> None:
    problem = only_problem("<p>\n\n  {% if first_name %}\n")
    assert problem.sentence == "Line 3: `{% if %}` is not closed by `{% endif %}`."
    assert (problem.line, problem.column, problem.name, problem.fatal) == (3, 3, "if", True)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("{{ first_name", "`{{` is not closed by `}}`."),
        ("{% if first_name", "`{%` is not closed by `%}`."),
        ("{% endif %}", "`{% endif %}` closes nothing."),
        (
            "{% if email %}{% endfor %}",
            "`{% endfor %}` stands where `{% endif %}` must close the `{% if %}` of line 1.",
        ),
        ("{% else %}", "`{% else %}` does not belong to any block here."),
        ("{% fro x in y %}", "there is no tag `fro` here. Did you mean `for`?"),
        ("{% include 'a' %}", "there is no tag `include` here."),
        ("{% %}", "`{% %}` has no name, such as `if` or `for`."),
        ("{{ email | defalt }}", "there is no filter `defalt` here. Did you mean `default`?"),
        ("{{ “email” }}", "`{{ “email” }}` has curly quotes. Type straight ones."),
        (
            "{{ first name }}",
            "`{{ first name }}` cannot be read: a field's name has no spaces."
            " Did you mean `first_name`?",
        ),
        (
            '{{ email | default "x" }}',
            '`{{ email | default "x" }}` cannot be read. Check its spelling, quotes and colons.',
        ),
        (
            "{% for a on b %}{% endfor %}",
            "`{% for a on b %}` cannot be read. Check its spelling, quotes and colons.",
        ),
        (
            "{% for a in (1..99999) %}{% endfor %}",
            "a range goes from one number to another, such as (1..10).",
        ),
    ],
)
def test_it_says_in_plain_words_what_cannot_be_read(source: str, sentence: str) -> None:
    problem = only_problem(source)
    assert problem.sentence == sentence
    assert problem.fatal


def test_it_finds_every_expression_that_cannot_be_read() -> None:
    problems = check("{{ a b }}\n{% assign = 1 %}\n{{ email }}\n{% if a = %}{% endif %}", KNOWN)
    assert [problem.line for problem in problems] == [1, 2, 4]


def test_it_tries_filters_with_a_value() -> None:
    problem = only_problem("\n{{ email | append }}\n")
    assert problem.fatal
    assert problem.line == 2


def test_it_proposes_the_nearest_known_field() -> None:
    problem = only_problem("Hi\nthere {{ frist_name }}")
    assert problem == Problem(
        line=2,
        column=10,
        name="frist_name",
        sentence="Line 2: there is no field `frist_name`. Did you mean `first_name`?",
        suggestion="first_name",
        fatal=False,
    )


@pytest.mark.parametrize(
    ("source", "name", "suggestion"),
    [
        ("{{ FirstName }}", "FirstName", "first_name"),
        ("{{ company.ctiy }}", "company.ctiy", "company.city"),
        ("{{ xyzzy | default: 'x' }}", "xyzzy", None),
        ("{% if frist_name %}{% endif %}", "frist_name", "first_name"),
        ("{{ email | append: emial }}", "emial", "email"),
    ],
)
def test_it_finds_unknown_fields(source: str, name: str, suggestion: str | None) -> None:
    problem = only_problem(source)
    assert (problem.name, problem.suggestion, problem.fatal) == (name, suggestion, False)


def test_it_reports_every_use_of_an_unknown_field_in_order() -> None:
    problems = check("{{ b }}{{ a }}\n{{ b }}", KNOWN)
    assert [(problem.name, problem.line) for problem in problems] == [("b", 1), ("a", 1), ("b", 2)]


def test_it_knows_fields_in_other_scripts() -> None:
    assert check("{{ имя }}{{ 名前 }}", ["имя", "名前"]) == []
    assert render_text("{{ имя }}", {"имя": "Аня"}) == "Аня"


def test_it_lists_the_fields_that_are_used() -> None:
    source = (
        "{{ a.b }}{% assign c = d %}{{ c }}{% for e in f %}{{ e }}{{ forloop.index }}{% endfor %}"
    )
    assert fields_in(source) == {"a", "d", "f"}


@given(st.text(alphabet="{}%- \"'|:.,ab(1)if\nend<>=", max_size=60))
@settings(max_examples=300, deadline=None)
def test_it_agrees_with_itself_about_what_can_be_rendered(source: str) -> None:
    fatal = any(problem.fatal for problem in check(source, []))
    try:
        render_html(source, {})
    except MergeError:
        return
    if fatal:
        with pytest.raises(MergeError):
            render_html(source, dict.fromkeys(fields_in(source), "1"))


# Gaps


@pytest.mark.parametrize(
    ("source", "gaps"),
    [
        ("{{ a }}", ["a"]),
        ("{{ b }} {{ a | upcase }}", ["a", "b"]),
        ("{{ a | default: 'x' }}", []),
        ("{{ a | default: '' }}", []),
        ("{{ a | upcase | default: 'x' }}", []),
        ("{{ a | default: b }}", ["a", "b"]),
        ("{{ a | default: full }}", []),
        ("{% if a %}Dear {{ a }}{% else %}Hello{% endif %}", []),
        ("{% if full %}{{ a }}{% endif %}", ["a"]),
        ("{% unless full %}{{ a }}{% endunless %}", []),
        ("{% assign c = a %}{{ c }}", ["a"]),
        ("{% assign c = a | default: 'x' %}{{ c }}", []),
        ("{{ 'Hi ' | append: a }}", ["a"]),
        ("{{ a | url_encode }}", ["a"]),
        ("{{ a | date: '%d' }}", ["a"]),
        ("{{ full }}", []),
        ("{% for x in a %}{{ x }}{% endfor %}", []),
    ],
)
def test_it_finds_the_fields_that_leave_a_gap(source: str, gaps: list[str]) -> None:
    assert empty_fields(source, {"a": "", "b": " ", "full": "F"}) == gaps
    assert empty_fields(source, {"full": "F"}) == gaps


def test_it_does_not_take_a_fallback_for_finished_that_nobody_wrote() -> None:
    problem = only_problem('Dear {{ first_name | default: "…" }}')
    assert not problem.fatal
    assert "Write words in its place" in problem.sentence
    assert check('Dear {{ first_name | default: "friend" }}', KNOWN) == []
