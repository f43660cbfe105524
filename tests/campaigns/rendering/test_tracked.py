"""Which links of a message are counted, and what becomes of them."""

from campaigns.rendering.tracked import countable_links, with_counted_links, with_picture

HTML = (
    '<p><a href="https://example.org/a?x=1&amp;y=2">one</a> '
    '<a class="x" href="http://example.org/" style="color: red">two</a> '
    '<a href="https://example.org/a?x=1&amp;y=2">one again</a> '
    '<a href="{{ unsubscribe_url }}">leave</a> <a href="https://example.org/{{ email }}">yours</a> '
    '<a href="mailto:ana@example.org">mail</a> <a href="#top">up</a> <a href="https://">empty</a> '
    '<img src="https://example.org/picture.png"></p>'
)


def test_it_counts_what_leads_everybody_to_the_same_page_of_the_web() -> None:
    assert countable_links(HTML) == ["https://example.org/a?x=1&y=2", "http://example.org/"]


def test_it_leads_counted_links_elsewhere_and_leaves_all_else() -> None:
    numbers = {url: n for n, url in enumerate(countable_links(HTML), start=1)}
    counted = with_counted_links(HTML, numbers, lambda number: f"https://d.example/?a&n={number}")
    assert counted.count('href="https://d.example/?a&amp;n=1"') == 2
    assert '<a class="x" href="https://d.example/?a&amp;n=2" style="color: red">' in counted
    for kept in ("{{ unsubscribe_url }}", "{{ email }}", "mailto:ana@", 'href="#top"', "<img src="):
        assert kept in counted
    assert with_counted_links(HTML, {}, str) == HTML


def test_it_does_not_take_text_for_a_link() -> None:
    text = '<p title="&lt;a href=">href="http://example.org/"</p>'
    assert with_counted_links(text, {"http://example.org/": 1}, str) == text


def test_it_puts_the_picture_at_the_end() -> None:
    page = with_picture("<html><body><p>Hello</p></body></html>", "https://d.example/o/x.gif")
    assert page.endswith("</p><img src=" + page.partition("<img src=")[2])
    assert page.rstrip().endswith("</body></html>") and page.count("<img") == 1
    assert with_picture("<p>Hello</p>", "https://d.example/o/x.gif").count("<img") == 1
