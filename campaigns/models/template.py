"""Subject and body with merge fields."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace


class Template(models.Model):
    """`html` is sanitised once, when it is saved (`campaigns.rendering.sanitize`)."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="templates")
    name = models.CharField(_("name"), max_length=200)
    subject = models.CharField(_("subject"), max_length=500)
    html = models.TextField(_("message"))
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="template_name_unique")
        ]

    def __str__(self) -> str:
        return self.name
