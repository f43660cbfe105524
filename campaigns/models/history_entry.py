"""What happened to one message beyond its ordinary way, and who decided it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.message import Message


class HistoryEntry(models.Model):
    """Only ever added to, by `campaigns.delivery.history`; the message's page shows it."""

    class Kind(models.TextChoices):
        IN_DOUBT = "in_doubt", _("In doubt")
        NOT_FOUND = "not_found", _("Looked for in Sent, not found")
        HELD = "held", _("Held for you")
        FOUND = "found", _("Found in Sent")
        NOT_SENT = "not_sent", _("Gmail wrote that it was not sent")
        MAY_BE_NOT_SENT = "may_be_not_sent", _("Gmail wrote that one was not sent, perhaps this")
        ARRIVED = "arrived", _("“It arrived”")
        SENT_AGAIN = "sent_again", _("“Send again”")
        TRIED_AGAIN = "tried_again", _("“Try again”")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="history")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField()
    # Who decided it; None where nobody did, or they are gone.
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    detail = models.TextField(blank=True)

    workspace_path = "message__workspace"

    class Meta:
        verbose_name = _("entry of a message's history")
        verbose_name_plural = _("histories of messages")
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.message.recipient}: {self.kind}"
