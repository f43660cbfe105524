"""A template, an audience, one or more Gmail accounts, and when to send."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import GmailAccount, Workspace
from campaigns.models.contact_list import ContactList
from campaigns.models.template import Template

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = ",".join(WEEKDAYS)


def new_seed() -> int:
    return secrets.randbelow(2**31)


class Campaign(models.Model):
    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SENDING = "sending", _("sending")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")

    class Pace(models.TextChoices):
        SPREAD = "spread", _("spread over the hours")
        ASAP = "asap", _("as soon as allowed")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="campaigns")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(_("name"), max_length=200)
    template = models.ForeignKey(
        Template,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="campaigns",
        verbose_name=_("template"),
    )
    lists = models.ManyToManyField(
        ContactList, related_name="campaigns", blank=True, verbose_name=_("lists")
    )
    accounts = models.ManyToManyField(
        GmailAccount,
        through="CampaignAccount",
        related_name="campaigns",
        blank=True,
        verbose_name=_("Gmail accounts"),
    )

    # When. A moment in UTC; none means at launch. Days and hours are in each account's zone.
    start_at = models.DateTimeField(_("start"), null=True, blank=True)
    days = models.CharField(_("days"), max_length=40, default=EVERY_DAY)
    # None: from midnight, and to midnight.
    hours_from = models.TimeField(_("from"), null=True, blank=True)
    hours_to = models.TimeField(_("to"), null=True, blank=True)
    pace = models.CharField(_("pace"), max_length=10, choices=Pace, default=Pace.SPREAD)
    # The source of the random gaps: stored, so that the forecast knows them.
    seed = models.BigIntegerField(default=new_seed, editable=False)

    state = models.CharField(max_length=10, choices=State, default=State.DRAFT, editable=False)
    # Why it is paused, when Daypost paused it.
    state_reason = models.TextField(blank=True, editable=False)
    # Off unless somebody asks for it, and only with a public address that was found reachable.
    track_opens = models.BooleanField(_("count opens"), default=False)
    track_clicks = models.BooleanField(_("count clicks"), default=False)
    # What came back before this moment pauses it no more: its person has seen it and went on.
    judged_from = models.DateTimeField(null=True, editable=False)
    recipients = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    launched_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def starts_at(self) -> datetime:
        """The first moment at which anything may leave."""
        return self.start_at or self.launched_at or self.created_at


class CampaignAccount(models.Model):
    """One of a campaign's Gmail accounts, and how far its pacing has come there."""

    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, related_name="campaign_accounts"
    )
    account = models.ForeignKey(
        GmailAccount, on_delete=models.PROTECT, related_name="campaign_accounts"
    )
    # How many messages were claimed here and when the last was: what spreads the next burst.
    claims = models.PositiveBigIntegerField(default=0, editable=False)
    last_claim_at = models.DateTimeField(null=True, editable=False)

    workspace_path = "campaign__workspace"

    class Meta:
        verbose_name = _("account of a campaign")
        verbose_name_plural = _("accounts of a campaign")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "account"], name="campaign_account_unique")
        ]

    def __str__(self) -> str:
        return f"{self.campaign}: {self.account}"


class Revision(models.Model):
    """The content of a campaign, frozen. Launch writes revision 1; amending writes the next."""

    campaign = models.ForeignKey(Campaign, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=500)
    html = models.TextField()
    text = models.TextField()
    created_at = models.DateTimeField(auto_now_add=True)

    workspace_path = "campaign__workspace"

    class Meta:
        verbose_name = _("revision")
        verbose_name_plural = _("revisions")
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="revision_unique")
        ]

    def __str__(self) -> str:
        return f"{self.campaign}, revision {self.number}"
