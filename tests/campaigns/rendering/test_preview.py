import html5lib
import pytest
from hypothesis import HealthCheck, given, settings

from campaigns.rendering.markup import MarkupError
from campaigns.rendering.preview import PREVIEW_CSP, preview_document
from campaigns.rendering.sanitize import sanitize
from tests.campaigns.rendering.hostile import TEMPLATES


def test_it_makes_a_document_of_a_fragment() -> None:
    document = preview_document("<p>Grüße</p>")
    root = html5lib.parse(document, namespaceHTMLElements=False)
    assert document.startswith("<!DOCTYPE html>")
    assert root.find("head/meta").get("charset") == "utf-8"
    assert root.find("body/p").text == "Grüße"


def test_it_keeps_the_head_of_a_document() -> None:
    html = sanitize(
        '<html lang="de"><head><title>T</title><style>a:hover{color:red}</style></head>'
        '<body bgcolor="#eee">x</body></html>'
    ).html
    root = html5lib.parse(preview_document(html), namespaceHTMLElements=False)
    assert root.get("lang") == "de"
    assert root.find("head/title").text == "T"
    assert "a:hover" in root.find("head/style").text + root.findall("head/style")[-1].text
    assert root.find("body").get("bgcolor") == "#eee"
    assert len(root.findall("head/base")) == 1


def test_it_opens_links_nowhere() -> None:
    root = html5lib.parse(
        preview_document('<a href="https://e.test">x</a>'), namespaceHTMLElements=False
    )
    assert root.find("head/base").attrib == {"target": "_blank"}
    assert PREVIEW_CSP["sandbox"] == []


def test_it_allows_no_request_to_any_host() -> None:
    assert PREVIEW_CSP["default-src"] == ["'none'"]
    assert PREVIEW_CSP["img-src"] == ["data:"]
    assert not any("http" in source for sources in PREVIEW_CSP.values() for source in sources)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        (
            '<img src="https://e.test/a.png" width="100" height="20" alt="A &lt;b&gt;">',
            '<span class="daypost-picture" style="width: 100px; height: 20px">A &lt;b&gt;</span>',
        ),
        ('<img src="cid:a">', '<span class="daypost-picture" style="">Picture</span>'),
        ('<img alt="x > y" src="/a">', '<span class="daypost-picture" style="">x > y</span>'),
        ('<img width="100%">', '<span class="daypost-picture" style="">Picture</span>'),
        ('<img src="https://e.test/open.gif" width="1" height="1">', ""),
        (
            '<img src="data:image/png;base64,x" alt="y">',
            '<img src="data:image/png;base64,x" alt="y">',
        ),
    ],
)
def test_it_shows_a_box_for_a_picture_from_elsewhere(image: str, shown: str) -> None:
    assert f"<body>\n{shown}\n</body>" in preview_document(image)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEMPLATES)
def test_it_leaves_no_picture_to_fetch(source: str) -> None:
    try:
        document = preview_document(sanitize(source).html)
    except MarkupError:
        return
    root = html5lib.parse(document, namespaceHTMLElements=False)
    sources = [image.get("src") or "data:" for image in root.iter("img")]
    assert all(source.startswith("data:") for source in sources) or "{" in source
