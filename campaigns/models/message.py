"""One e-mail to one person."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import GmailAccount, LedgerRow, Workspace
from campaigns.models.campaign import Campaign
from campaigns.models.contact import Contact


class Message(models.Model):
    """Its state is changed only through `campaigns.states`."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        CLAIMED = "claimed", _("about to leave")
        HANDING_OVER = "handing_over", _("being handed over")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused")
        IN_DOUBT = "in_doubt", _("in doubt")
        SKIPPED = "skipped", _("skipped")
        CANCELLED = "cancelled", _("cancelled")

    class Held(models.TextChoices):
        """Why what is in doubt is held for a person."""

        NOT_FOUND = "not_found", _("not found in Sent")
        NOT_READ = "not_read", _("its mailbox is not read by IMAP")
        UNREADABLE = "unreadable", _("its mailbox could not be read")
        LIMIT_NOTICE = "limit_notice", _("Gmail wrote that it was not sent, or may mean it")

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="messages")
    source = models.CharField(max_length=15, choices=LedgerRow.Source)
    campaign = models.ForeignKey(
        Campaign, on_delete=models.CASCADE, null=True, related_name="messages"
    )
    contact = models.ForeignKey(
        Contact, on_delete=models.SET_NULL, null=True, related_name="messages"
    )
    step = models.PositiveSmallIntegerField(default=1)
    revision = models.PositiveIntegerField(default=1)
    # What makes a second call for the same single mail harmless; campaigns do not need one.
    idempotency_key = models.CharField(max_length=200, null=True)  # noqa: DJ001  null is "none"
    to_email = models.CharField(_("to"), max_length=254)
    # RFC 5322 3.6.4, with its angle brackets, fixed when the row is written.
    message_id = models.CharField(max_length=200, unique=True)

    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WAITING)
    # Why it was skipped, refused or put back: Gmail's words or ours.
    reply = models.TextField(_("what Gmail said"), blank=True)
    # The account it is bound to from its first claim.
    account = models.ForeignKey(
        GmailAccount, on_delete=models.PROTECT, null=True, related_name="messages"
    )
    # Gone once it counts no more and the message's fate is known: `campaigns.keeping.retention`.
    ledger_row = models.OneToOneField(
        LedgerRow, on_delete=models.SET_NULL, null=True, related_name="message"
    )
    claim_holder = models.CharField(max_length=64, blank=True)
    claim_until = models.DateTimeField(null=True)
    # How often Gmail has put it off: a 4xx, or a line that broke once Gmail knew of it.
    attempts = models.PositiveIntegerField(default=0)
    # How often a person had it sent again out of a doubt: from the first time on, the bytes that
    # were handed over then are kept and never written anew.
    times_sent_again = models.PositiveIntegerField(default=0)
    # Not tried before this moment: launch, or later once it was put off.
    not_before = models.DateTimeField()
    # The finished bytes: from handing over until the fate is known, and for mail that is
    # written by a program from the start.
    raw = models.BinaryField(null=True)
    created_at = models.DateTimeField()
    handed_over_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(_("sent"), null=True)
    # The Date of the last limit notice that is, or may be, about it: a copy of it lies in Sent
    # although it was not sent, so that a copy proves nothing any more.
    noticed_at = models.DateTimeField(null=True)

    # Of the doubt that it is in; none in any other state. `campaigns.delivery.doubt` writes them.
    doubt_since = models.DateTimeField(null=True)
    # When Sent is to be asked for it next; None when it is looked for no more.
    look_again_at = models.DateTimeField(null=True)
    # From when on only a person ends the doubt, and why.
    held_at = models.DateTimeField(null=True)
    held_why = models.CharField(max_length=20, choices=Held, blank=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index(fields=["campaign", "state"], name="message_campaign_state"),
            # What leaves next from a campaign, and whether anything still waits.
            models.Index(
                fields=["campaign", "account", "not_before", "id"],
                name="message_waiting",
                condition=Q(state="waiting"),
            ),
            # What is bound to an account and still waits: single mail, and what was put back.
            models.Index(
                fields=["account", "not_before"],
                name="message_bound",
                condition=Q(state="waiting", account__isnull=False),
            ),
            # What a dead worker may have left behind.
            models.Index(
                fields=["claim_until"],
                name="message_under_way",
                condition=Q(state__in=["claimed", "handing_over"]),
            ),
            # What is to be looked for.
            models.Index(
                fields=["look_again_at"],
                name="message_looked_for",
                condition=Q(look_again_at__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "contact", "step"], name="message_once_a_contact"
            ),
            models.UniqueConstraint(
                fields=["workspace", "idempotency_key"], name="message_once_a_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.recipient} ({self.state})"

    @property
    def is_erased(self) -> bool:
        """Whether its recipient was forgotten (`campaigns.contacts.erasing`)."""
        return not self.to_email

    @property
    def recipient(self) -> str:
        """The address for whoever looks, also where that was erased."""
        return self.to_email or str(_("somebody who was erased"))
