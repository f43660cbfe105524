"""What an error page or report may show of the variables at hand."""

from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class DiscreetFilter(SafeExceptionReporterFilter):
    """Hides what `sensitive_variables` names with DEBUG on as well.

    Django shows everything then; but the person who debugs an instance has real secrets in it.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_traceback_frame_variables(
        self, request: HttpRequest | None, tb_frame: FrameType
    ) -> ItemsView[str, Any]:
        """None of allauth's: it has passwords and links that set one, and names neither."""
        variables = super().get_traceback_frame_variables(request, tb_frame)
        if not str(tb_frame.f_globals.get("__name__", "")).startswith("allauth."):
            return variables
        return {name: self.cleansed_substitute for name, _value in variables}.items()
