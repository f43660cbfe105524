"""What an error page or report may show of the variables at hand."""

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


class DiscreetFilter(SafeExceptionReporterFilter):
    """Hides what `sensitive_variables` names with DEBUG on as well.

    Django shows everything then; but the person who debugs an instance has real secrets in it.
    """

    def is_active(self, request: HttpRequest | None) -> bool:
        return True
