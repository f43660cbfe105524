"""How far a folder of the mailbox has been read: Sent, or one in which answers lie."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class ReadFolder(models.Model):
    """A folder as long as its UIDs name the same messages (RFC 3501 section 2.3.1.1).

    Another UIDVALIDITY, or another name when the person changes Gmail's language, is another row.
    """

    account = models.ForeignKey(GmailAccount, on_delete=models.CASCADE, related_name="read_folders")
    name = models.CharField(max_length=500)
    uid_validity = models.BigIntegerField()
    # The UID up to which everything has been looked at.
    read_to = models.BigIntegerField(default=0)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("folder that is read")
        verbose_name_plural = _("folders that are read")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "name", "uid_validity"], name="read_folder_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.name} ({self.uid_validity})"
