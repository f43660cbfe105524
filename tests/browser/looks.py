"""The widths and colours in which a screen must be right."""

from collections.abc import Iterator

from playwright.sync_api import Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


def every_look(page: Page) -> Iterator[str]:
    """Show the page that is open on a phone and on a desktop, dark and light; the look's name.

    It is loaded once: a page follows its window and the colours of the machine by itself. In the
    end it is on a desktop and light again.
    """
    for name, size in (("phone", PHONE), ("desktop", DESKTOP)):
        page.set_viewport_size(size)
        for scheme in ("dark", "light"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            yield f"{name}, {scheme}"


def nothing_sticks_out(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
