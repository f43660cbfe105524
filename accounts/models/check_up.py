"""What the doctor found when it last looked at an account."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.gmail_account import GmailAccount


class CheckUp(models.Model):
    """One an account. `checks` grows while the doctor works, in its order:
    `{"name", "ok", "needed", "detail", "remedy"}`.

    Asked for, then held by one worker until `held_until`, then finished; a worker that died lets
    another one begin again.
    """

    account = models.OneToOneField(GmailAccount, on_delete=models.CASCADE, related_name="check_up")
    asked_at = models.DateTimeField()
    held_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    checks = models.JSONField(default=list)

    workspace_path = "account__workspace"

    class Meta:
        verbose_name = _("check-up")
        verbose_name_plural = _("check-ups")

    def __str__(self) -> str:
        return f"{self.account}: {len(self.checks)}"
