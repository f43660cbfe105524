"""What happened to a message after it was sent."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from campaigns.models.inbound_mail import InboundMail
from campaigns.models.message import Message


class Event(models.Model):
    """Only added to, but for `by_machine` (`campaigns.tracking`) and the words of who is erased."""

    class Kind(models.TextChoices):
        BOUNCED = "bounced", _("bounced: the address does not work")
        SOFT_BOUNCED = "soft_bounced", _("could not be delivered this time")
        BLOCKED = "blocked", _("refused by the recipient's side")
        GMAIL_BLOCKED = "gmail_blocked", _("refused by Gmail itself")
        DELAYED = "delayed", _("delayed")
        REPLIED = "replied", _("replied")
        AUTO_REPLIED = "auto_replied", _("answered automatically")
        OPTED_OUT = "opted_out", _("opted out")
        OPTED_IN = "opted_in", _("took the opt-out back")
        OPENED = "opened", _("opened")
        CLICKED = "clicked", _("clicked")

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=15, choices=Kind)
    detail = models.TextField(blank=True)
    at = models.DateTimeField()
    # The mail that told of it; None for what happened on a page.
    mail = models.ForeignKey(
        InboundMail, on_delete=models.CASCADE, null=True, related_name="events"
    )
    # Of opens and clicks: probably a program that looks at every mail, so it counts nowhere.
    by_machine = models.BooleanField(default=False)
    link = models.ForeignKey(
        "campaigns.TrackedLink", on_delete=models.CASCADE, null=True, related_name="clicks"
    )

    workspace_path = "message__workspace"

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["mail", "message", "kind"], name="event_once_a_mail")
        ]

    def __str__(self) -> str:
        return f"{self.message.recipient}: {self.kind}"
