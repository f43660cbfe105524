"""One import of contacts: the file, how it is read, how far it has come, and what it found."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from campaigns.models.contact_list import ContactList


class ContactImport(models.Model):
    class State(models.TextChoices):
        UPLOADED = "uploaded", _("being looked at")
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.SET_NULL, null=True, related_name="imports"
    )
    consent = models.TextField(_("where the consent comes from"), blank=True)
    file_name = models.CharField(_("file"), max_length=255)
    # Name of the upload, and of the file of rejected rows, within settings.UPLOADS_DIR.
    stored_as = models.CharField(max_length=255, editable=False)
    problems_as = models.CharField(max_length=255, blank=True, editable=False)

    # How the file is read: guessed, then corrected by the person.
    encoding = models.CharField(_("encoding"), max_length=40, blank=True)
    delimiter = models.CharField(_("delimiter"), max_length=1, blank=True)
    header_line = models.PositiveIntegerField(_("header line"), default=1)
    # {"Column": "field"}, in the file's order; "-" leaves a column out.
    columns = models.JSONField(default=dict)

    state = models.CharField(max_length=10, choices=State, default=State.UPLOADED, editable=False)
    # Whoever runs it renews this lease with every chunk; a dead worker's lease ends by itself.
    lease_holder = models.CharField(max_length=64, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    error = models.TextField(blank=True, editable=False)

    # Progress and result, saved in the transaction of each chunk: where a resumed run goes on.
    bytes_total = models.BigIntegerField(default=0, editable=False)
    bytes_read = models.BigIntegerField(default=0, editable=False)
    records_read = models.BigIntegerField(default=0, editable=False)
    imported = models.BigIntegerField(default=0, editable=False)
    updated = models.BigIntegerField(default=0, editable=False)
    unchanged = models.BigIntegerField(default=0, editable=False)
    duplicates = models.BigIntegerField(default=0, editable=False)
    invalid = models.BigIntegerField(default=0, editable=False)
    suppressed = models.BigIntegerField(default=0, editable=False)
    suspicious = models.BigIntegerField(default=0, editable=False)
    # The first problems, for the screen: [{"line", "reason", "value"}], at most 1,000.
    problems = models.JSONField(default=list, editable=False)

    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.file_name

    @property
    def rows(self) -> int:
        """Rows seen so far; blank lines are no rows."""
        return self.imported + self.updated + self.unchanged + self.duplicates + self.invalid
