"""Walks a consent page over HTTP as a person in a browser does."""

from collections.abc import Iterator
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

import html5lib
import requests

TIMEOUT_SECONDS = 20


class ConsentFailed(Exception):
    """The page was not what a person would expect; the text says what it was."""


def give_consent(url: str) -> str:
    """Allow what the page at `url` asks for, as it stands; the address that one is sent back to.

    That address is not opened: like a person on a machine without a screen, one takes it from the
    browser's address bar. Raises ConsentFailed.
    """
    with requests.Session() as browser:
        page = browser.get(url, timeout=TIMEOUT_SECONDS)
        form = html5lib.parse(page.content, namespaceHTMLElements=False).find(".//form")
        if form is None:
            raise ConsentFailed(f"There is no consent page: status {page.status_code}.")
        answer = browser.post(
            urljoin(page.url, form.get("action", "")),
            data=[*_filled_in(form), *_allow(form)],
            allow_redirects=False,
            timeout=TIMEOUT_SECONDS,
        )
    if "Location" not in answer.headers:
        raise ConsentFailed(f"The consent page sent nobody back: status {answer.status_code}.")
    return answer.headers["Location"]


def _filled_in(form: Element) -> Iterator[tuple[str, str]]:
    """What a browser would send of the fields as they stand."""
    for field in form.iter("input"):
        choice = field.get("type") in ("checkbox", "radio")
        if field.get("name") and (not choice or field.get("checked") is not None):
            yield field.get("name", ""), field.get("value", "on" if choice else "")


def _allow(form: Element) -> Iterator[tuple[str, str]]:
    """The button that a person would press."""
    for button in form.iter("button"):
        if "".join(button.itertext()).strip().lower() in ("allow", "continue"):
            yield button.get("name", ""), button.get("value", "")
            return
    raise ConsentFailed("The consent page has no button to allow it.")
