"""A named group of contacts, kept by hand or filled by imports."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from campaigns.models.contact import Contact


class ContactList(models.Model):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="contact_lists")
    name = models.CharField(_("name"), max_length=200)
    contacts = models.ManyToManyField(
        Contact, through="ListMembership", related_name="lists", blank=True
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="list_name_unique")
        ]

    def __str__(self) -> str:
        return self.name


class ListMembership(models.Model):
    contact_list = models.ForeignKey(
        ContactList, on_delete=models.CASCADE, related_name="memberships"
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="memberships")
    added_at = models.DateTimeField(auto_now_add=True)
    # Since when the person wants nothing from this list any more; an import does not change it.
    left_at = models.DateTimeField(null=True)

    workspace_path = "contact_list__workspace"

    class Meta:
        verbose_name = _("list membership")
        verbose_name_plural = _("list memberships")
        constraints = [
            models.UniqueConstraint(
                fields=["contact_list", "contact"], name="list_membership_unique"
            )
        ]

    def __str__(self) -> str:
        return f"{self.contact} in {self.contact_list}"
