"""What happened to a message after it was sent."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.message import Message


class Event(models.Model):
    class Kind(models.TextChoices):
        BOUNCED = "bounced", _("bounced")
        REPLIED = "replied", _("replied")
        OPTED_OUT = "opted_out", _("opted out")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    detail = models.TextField(blank=True)
    at = models.DateTimeField()

    workspace_path = "message__workspace"

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.message.to_email}: {self.kind}"
