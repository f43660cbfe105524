"""How a rendered message is shown on our pages: a document of its own, without any rights."""

import html
import re

from django.utils.translation import gettext as _

# Sent with the response that carries the document. The frame around it is sandboxed too.
# No request leaves for another host, nor for ours: a picture's address could be any page of it.
PREVIEW_CSP = {
    "default-src": ["'none'"],
    "style-src": ["'unsafe-inline'"],
    "img-src": ["data:"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": [],
}

# Links would open in a new window, which the sandbox does not let them: so they do nothing.
_HEAD = (
    '<base target="_blank">\n<style>\n.daypost-picture { display: inline-block; max-width: 100%;'
    " box-sizing: border-box; overflow: hidden; padding: 4px 8px; border: 1px dashed #888;"
    " background: #eee; color: #444; font: 12px/1.4 sans-serif; text-align: center;"
    " vertical-align: middle; }\n</style>\n"
)
_IMAGE = re.compile(r'<img((?:\s[^<>"]*(?:"[^"]*"[^<>"]*)*)?)>')
_ATTRIBUTE = re.compile(r'\s([a-z-]+)="([^"]*)"')
_END_OF_HEAD = re.compile("</head>", re.IGNORECASE)
_SPACER = 3  # pixels: pictures so small hold the layout, or count readers


def preview_document(rendered: str) -> str:
    """The whole document for the frame, of sanitised and rendered HTML.

    Pictures from elsewhere are not fetched: in their place stands their alternative text, in a box
    of their size.
    """
    shown = _IMAGE.sub(_placeholder, rendered)
    if _END_OF_HEAD.search(shown):
        return _END_OF_HEAD.sub(lambda end: _HEAD + end.group(), shown, count=1)
    return (
        f'<!DOCTYPE html>\n<html>\n<head>\n<meta charset="utf-8">\n{_HEAD}</head>\n'
        f"<body>\n{shown}\n</body>\n</html>\n"
    )


def _placeholder(image: re.Match[str]) -> str:
    attributes = dict(_ATTRIBUTE.findall(image.group(1)))
    if attributes.get("src", "").startswith("data:"):
        return image.group()
    width, height = _pixels(attributes, "width"), _pixels(attributes, "height")
    if min(size for size in (width, height, _SPACER + 1) if size is not None) <= _SPACER:
        return ""
    # The text is escaped already: it is an attribute of the HTML.
    text = attributes.get("alt") or html.escape(_("Picture"))
    style = f"width: {width}px; " * (width is not None) + f"height: {height}px" * (
        height is not None
    )
    return f'<span class="daypost-picture" style="{style}">{text}</span>'


def _pixels(attributes: dict[str, str], name: str) -> int | None:
    value = attributes.get(name, "").removesuffix("px")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 5 else None
