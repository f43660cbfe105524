"""What a mail program would make of a rendered message, and pieces to make hostile ones from."""

import re

import html5lib
from hypothesis import strategies as st

FORBIDDEN_ELEMENTS = {
    "script", "iframe", "object", "embed", "form", "input", "button", "link", "base", "svg", "math",
    "template", "textarea", "select", "noscript", "frame", "frameset", "applet", "video", "audio",
}  # fmt: skip
ALLOWED_SCHEMES = {"http", "https", "mailto", "tel", "cid"}
# As mail programs and browsers read it: controls and spaces before it are skipped, and tabs and
# line ends anywhere (URL Standard 4.4).
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_IMAGE = re.compile(r"data:image/(png|jpe?g|gif|webp)[;,]", re.IGNORECASE)


def dangers_in(rendered: str) -> list[str]:
    """Everything in the HTML that a message must not hold, as html5lib reads it."""
    dangers = []
    root = html5lib.parse(rendered, namespaceHTMLElements=False)
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        name = element.tag.rpartition("}")[2]
        if name in FORBIDDEN_ELEMENTS or element.tag.startswith("{"):
            dangers.append(f"<{name}>")
        if name == "meta" and element.get("http-equiv"):
            dangers.append("meta http-equiv")
        if name == "style":
            dangers.extend(css_dangers(element.text or ""))
        for attribute, value in element.attrib.items():
            if attribute.startswith("on") or not re.fullmatch("[a-z-]+", attribute):
                dangers.append(f"attribute {attribute}")
            if attribute in ("href", "src", "background", "action", "formaction", "srcset"):
                dangers.extend(url_dangers(value))
            if attribute == "style":
                dangers.extend(css_dangers(value))
    return dangers


def url_dangers(url: str) -> list[str]:
    scheme = _SCHEME.match(re.sub("[\t\n\r]", "", url).lstrip("".join(map(chr, range(33)))))
    if scheme and scheme[1].lower() not in ALLOWED_SCHEMES and not _IMAGE.match(url.strip()):
        return [f"address {url!r}"]
    return []


def css_dangers(css: str) -> list[str]:
    found = re.findall(r"expression|javascript|@import|position\s*:|behavior|\\|</|\{\{", css, re.I)
    urls = re.findall(r"url\(\s*['\"]?([^'\")]*)", css, re.I)
    return found + [url for url in urls if not re.match("https:|cid:|data:image/", url)]


_LIQUID = [
    "{{ a }}", "{{ b }}", "{{- a -}}", '{{ "<script>" }}', "{{ '\"' }}", '{{ a | default: "x" }}',
    "{% if a %}", "{% else %}", "{% endif %}", "{% unless a %}", "{% endunless %}",
    "{% for i in list %}", "{% endfor %}", "{% break %}", "{% capture c %}", "{% endcapture %}",
    "{{ c }}", '{% assign c = "<img src=x onerror=alert(1)>" %}', "{% comment %}",
    "{% endcomment %}", "{% raw %}", "{% endraw %}", "{% # x %}", "{{", "}}", "{%", "%}",
]  # fmt: skip
_HTML = [
    "<", ">", "/", '"', "'", "=", " ", "\n", "&", ";", "&quot;", "&lt;", "&#123;", "<!--", "-->",
    "<!", "<?", "]]>", "<![CDATA[", "x", "<a ", "<b>", "</b>", "<p>", "</p>", "<i", "<div>",
    "</div>", "<table>", "<tr>", "<td>", "</td>", "</tr>", "</table>", "<table", "<caption>",
    "<script>", "</script>", "<style>", "</style>", "<svg>", "<math>", "<mtext>", "<mglyph>",
    "</svg>", "<title>", "</title>", "<textarea>", "</textarea>", "<noscript>", "</noscript>",
    "<template>", "<select>", "<option>", "<iframe>", "<xmp>", "<plaintext>", "<form>",
    "<frameset>", "<html ", "<head>", "<body ", "</body>", "</html>", "<base href=//x>", "<img ",
    "<font color=red>", "<a href=x>", "</a>", "<li>", "<h1>", "<pre>\n", "<br>", "<ruby><rt>",
    "href=", "src=", "style=", "title=", "onclick=", "onerror=alert(1)", "javascript:alert(1)",
    "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "https://e.test/", "mailto:", ":",
    "background=", "&colon;", "&Tab;", "class=x", "xlink:href=", "color:red;", "position:fixed;",
    "background:url(javascript:x)", "x{color:red}", "@import 'x';", "@media screen{x{color:red}}",
    "a:hover{color:red}", "\\3c", "</style", "expression(1)", "\x00", "\x0b", "\xa0", "\ufeff", "é",
]  # fmt: skip

TEMPLATES = st.lists(st.sampled_from(_HTML + _LIQUID * 2), max_size=14).map("".join)
VALUES = st.sampled_from(
    ["", "x", "<script>alert(1)</script>", '" onclick="alert(1)', "' onclick='x", "javascript:x",
     "JaVa\nScRiPt:x", "data:text/html;base64,x", "&#106;avascript:x", "{{ b }}", "{% if %}",
     "</style><script>", "-->", "<!--", "\x01javascript:x", "https://e.test/?a=1&b=2", "`", ">"]
)  # fmt: skip
