"""A person with an address, and the further fields that a workspace knows of its people."""

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from campaigns.models.address_hash import LENGTH, address_hash


class ContactField(models.Model):
    """A further column of the contacts, found by an import or added by hand.

    `name` is the merge field (`member_no`), `label` what the person's file calls it.
    """

    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, related_name="contact_fields"
    )
    name = models.SlugField(_("merge field"), max_length=60)
    label = models.CharField(_("column"), max_length=200)

    class Meta:
        verbose_name = _("contact field")
        verbose_name_plural = _("contact fields")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="contact_field_unique")
        ]

    def __str__(self) -> str:
        return self.label


class Contact(models.Model):
    """`email` is what is sent to; `email_key` (lower case) is who it is."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="contacts")
    email = models.CharField(_("e-mail address"), max_length=254)
    email_key = models.CharField(max_length=254, editable=False)
    # What a suppression of it would be kept under.
    email_hash = models.CharField(max_length=LENGTH, editable=False)
    first_name = models.CharField(_("first name"), max_length=200, blank=True)
    last_name = models.CharField(_("last name"), max_length=200, blank=True)
    # Further fields by merge name: {"member_no": "17"}; every value is text.
    fields = models.JSONField(default=dict, blank=True)
    suspicious = models.CharField(
        _("looks odd"), max_length=200, blank=True, help_text=_("Why the address may be mistyped.")
    )
    consent = models.TextField(_("where the consent comes from"), blank=True)
    # The import that last saw this contact: how a second row of one file is known as a duplicate
    # without holding every address in memory.
    last_import = models.ForeignKey(
        "campaigns.ContactImport",
        on_delete=models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
    )
    created_at = models.DateTimeField(_("added"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [
            models.UniqueConstraint(fields=["workspace", "email_key"], name="contact_email_unique")
        ]

    def __str__(self) -> str:
        return self.email

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.email_key = self.email.lower()
        self.email_hash = address_hash(self.email_key)
        if "email" in (kwargs.get("update_fields") or ()):
            kwargs["update_fields"] = {*kwargs["update_fields"], "email_key", "email_hash"}
        super().save(*args, **kwargs)

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()
