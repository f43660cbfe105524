"""The time zones that a form offers.

There are some six hundred. The list is read from the disk once, and written as one piece: a
template for each option took half of the time of its page.
"""

from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django.forms import Select
from django.forms.renderers import BaseRenderer
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminSelectWidget


def choices(present: str) -> list[tuple[str, str]]:
    """Every zone that this machine knows, and the present one, which it may not know any more."""
    return [(zone, zone) for zone in sorted(_known() | {present})]


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())


class TimeZoneSelect(Select):
    """For our own forms. Its choices are those of `choices`."""

    def optgroups(self, *args: Any, **kwargs: Any) -> list[Any]:
        """None that a template would write."""
        return []

    def render(
        self,
        name: str,
        value: Any,
        attrs: dict[str, Any] | None = None,
        renderer: BaseRenderer | None = None,
    ) -> SafeString:
        begin, end, rest = super().render(name, value, attrs, renderer).rpartition("</select>")
        options = _options([zone for zone, _label in self.choices], self.format_value(value))
        return mark_safe(begin + options + end + rest)  # noqa: S308  all of it is escaped


class AdminTimeZoneSelect(TimeZoneSelect, UnfoldAdminSelectWidget):
    """For the forms of the admin."""


def _options(zones: list[Any], chosen: Any) -> SafeString:
    option = '<option value="{0}">{0}</option>'
    selected = '<option value="{0}" selected>{0}</option>'
    return format_html_join(
        "\n", "{}", ((format_html(selected if zone in chosen else option, zone),) for zone in zones)
    )
