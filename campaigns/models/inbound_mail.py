"""A mail that came back and concerns us: what it is, and which message it is about."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import GmailAccount
from campaigns.models.message import Message


class InboundMail(models.Model):
    """One row for each message that a mail is about; nothing of other mail is kept.

    `account` is whose mailbox it came to. With `key`, the mail's own identity, it makes reading the
    same mail twice harmless, in whichever folder it lies by then.
    """

    class Kind(models.TextChoices):
        REPORT = "report", _("delivery report")
        REPLY = "reply", _("reply")
        AUTOMATIC = "automatic", _("automatic answer")
        OPT_OUT = "opt_out", _("opt-out")

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="inbound_mail")
    key = models.CharField(max_length=64)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    # None where it could not be told which one it is about.
    message = models.ForeignKey(
        Message, on_delete=models.CASCADE, null=True, related_name="inbound_mail"
    )
    # When it came into the mailbox, by the clock that our own moments are stamped by.
    at = models.DateTimeField(_("received"))
    sender = models.CharField(_("from"), max_length=254, blank=True)
    subject = models.CharField(_("subject"), max_length=500, blank=True)
    # The beginning of what a person wrote, in plain words.
    text = models.TextField(blank=True)

    # Whether who wrote it is proven; else it changes nothing.
    trusted = models.BooleanField(default=True)

    # Of a delivery report: `gmail.failures.Verdict`, whom it is about, and the reason.
    verdict = models.CharField(max_length=10, blank=True)
    recipient = models.CharField(_("recipient"), max_length=254, blank=True)
    said = models.TextField(_("what it says"), blank=True)
    # A limit notice about what was just being handed over is applied once more then.
    again_at = models.DateTimeField(null=True)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("mail that came back")
        verbose_name_plural = _("what came back")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["account", "key", "recipient"], name="inbound_mail_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["again_at"],
                name="inbound_mail_again",
                condition=models.Q(again_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.sender}"
