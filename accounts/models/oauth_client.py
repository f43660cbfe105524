"""The workspace's own Google OAuth client, where the environment gives none."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.workspace import Workspace


class OAuthClient(models.Model):
    workspace = models.OneToOneField(
        Workspace, on_delete=models.CASCADE, related_name="oauth_client"
    )
    client_id = models.CharField(_("client id"), max_length=255)
    # Sealed by `accounts.vault`, bound to this workspace.
    sealed_secret = models.TextField(editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("Google client")
        verbose_name_plural = _("Google clients")

    def __str__(self) -> str:
        return self.client_id
