"""A mail that the account's person wrote elsewhere, and that is in the ledger."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.ledger_row import LedgerRow
from accounts.models.read_folder import ReadFolder


class MailByHand(models.Model):
    """The key under which it lies in Sent, so that it counts once however often Sent is read.

    With the folder's it is (account, folder, UIDVALIDITY, UID). The ledger row has the moment
    and the number of recipients; nothing else of the mail is kept.
    """

    folder = models.ForeignKey(ReadFolder, on_delete=models.CASCADE, related_name="by_hand")
    uid = models.BigIntegerField()
    ledger_row = models.OneToOneField(
        LedgerRow, on_delete=models.CASCADE, related_name="mail_by_hand"
    )

    workspace_path = "folder__account__workspace"

    class Meta:
        verbose_name = _("mail written by hand")
        verbose_name_plural = _("mail written by hand")
        constraints = [models.UniqueConstraint(fields=["folder", "uid"], name="mail_by_hand_once")]

    def __str__(self) -> str:
        return f"{self.folder}: {self.uid}"
