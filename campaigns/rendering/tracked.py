"""Links and a picture by which it is counted who clicks and who opens, put into rendered HTML."""

import html
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from campaigns.rendering.links import links_in

# As the sanitiser writes them: in double quotes, which no value holds unescaped.
_LINK = re.compile(r'(<a(?:\s[^<>"]*(?:"[^"]*"[^<>"]*)*)?\shref=")([^"]*)(")')


def countable_links(source: str) -> list[str]:
    """The addresses of a template's links that can be counted, each once, in order.

    Those on the web that are the same for everybody: what Liquid has a part in leads each person
    to a page of their own, the one to unsubscribe among them. Raises MarkupError.
    """
    found = dict.fromkeys(link.url for link in links_in(source) if _is_countable(link.url))
    return list(found)


def with_counted_links(rendered: str, numbers: Mapping[str, int], to: Callable[[int], str]) -> str:
    """The message with each link of `numbers` (address: number) leading to `to(number)`."""
    if not numbers:
        return rendered

    def counted(link: re.Match[str]) -> str:
        before, address, after = link.groups()
        number = numbers.get(html.unescape(address).strip())
        return link.group() if number is None else f"{before}{html.escape(to(number))}{after}"

    return _LINK.sub(counted, rendered)


def with_picture(rendered: str, address: str) -> str:
    """The message with a picture of one pixel at its end, which nobody sees."""
    picture = (
        f'<img src="{html.escape(address)}" width="1" height="1" alt="" '
        'style="display: block; width: 1px; height: 1px; border: 0">'
    )
    body, end, rest = rendered.rpartition("</body>")
    return f"{body}{picture}\n{end}{rest}" if end else f"{rendered}\n{picture}"


def _is_countable(url: str) -> bool:
    if "{{" in url or "{%" in url:
        return False
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
