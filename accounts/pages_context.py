"""What a page of Daypost's own gives its template."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest


def page_context(
    site: AdminSite,
    request: HttpRequest,
    title: str,
    *,
    crumbs: Sequence[tuple[str, str]] = (),
    **more: Any,
) -> dict[str, Any]:
    """The context of a template that extends `daypost/page.html`.

    `title` is the heading and the name of the tab. `crumbs` are (text, URL) of the pages above.
    """
    return {**site.each_context(request), "title": title, "crumbs": crumbs, **more}
