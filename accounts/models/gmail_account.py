"""A mailbox connected for sending."""

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.workspace import Workspace, machine_time_zone, validate_time_zone

PERSONAL_DOMAINS = ("gmail.com", "googlemail.com")


class GmailAccount(models.Model):
    """Never deleted while its ledger counts: a mailbox that is connected again keeps its past.

    A mailbox is connected once in an instance (`mailbox_key`), because Gmail counts its limit
    once, whoever sends.
    """

    class State(models.TextChoices):
        READY = "ready", _("ready")
        NEEDS_RECONNECTING = "needs_reconnecting", _("needs reconnecting")
        DISCONNECTED = "disconnected", _("disconnected")

    class Auth(models.TextChoices):
        OAUTH = "oauth", _("Google consent (OAuth)")
        APP_PASSWORD = "app_password", _("app password")

    class SmtpSecurity(models.TextChoices):
        SSL = "ssl", _("TLS from the start (port 465)")
        STARTTLS = "starttls", _("STARTTLS (port 587)")

    class Inbound(models.TextChoices):
        IMAP = "imap", "IMAP"
        POP = "pop", "POP"
        NONE = "none", _("not read")

    workspace = models.ForeignKey(
        Workspace, on_delete=models.PROTECT, related_name="gmail_accounts"
    )
    address = models.EmailField(_("address"), max_length=254)
    # `mailbox_key(address)` of accounts.connect: one key for all spellings of one mailbox.
    mailbox_key = models.CharField(max_length=300, unique=True, editable=False)
    display_name = models.CharField(_("name that recipients see"), max_length=200, blank=True)
    # An alias that Gmail has verified for this account; blank is the account's own address.
    from_address = models.EmailField(_("address that recipients see"), max_length=254, blank=True)
    reply_to = models.EmailField(_("address that replies go to"), max_length=254, blank=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=machine_time_zone, validators=[validate_time_zone]
    )
    # The practice Gmail on this machine: other endpoints, and nothing leaves.
    practice = models.BooleanField(_("practice"), default=False, editable=False)

    state = models.CharField(max_length=20, choices=State, default=State.READY, editable=False)
    state_reason = models.TextField(blank=True, editable=False)
    resting_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Gmail's reply word for word, or a sentence where none came: shown through `rest_words.why`.
    resting_reason = models.TextField(blank=True, editable=False)
    # Temporary refusals in a row; each doubles the next rest.
    failures_in_a_row = models.PositiveIntegerField(default=0, editable=False)

    auth = models.CharField(max_length=15, choices=Auth, editable=False)
    # Sealed by `accounts.vault`, bound to this account: the refresh token or the app password,
    # and the newest access token.
    sealed_secret = models.TextField(blank=True, editable=False)
    sealed_access_token = models.TextField(blank=True, editable=False)
    access_token_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    token_lease_until = models.DateTimeField(null=True, blank=True, editable=False)

    smtp_security = models.CharField(
        _("sending"), max_length=10, choices=SmtpSecurity, default=SmtpSecurity.SSL
    )
    inbound = models.CharField(_("reading"), max_length=5, choices=Inbound, default=Inbound.IMAP)

    # Whether the doctor writes one mail to the account itself, and what that mail has settled:
    # None is not known. Gmail replaces a From that it has not verified for the account.
    self_test = models.BooleanField(_("test mail to itself when the doctor looks"), default=True)
    keeps_message_id = models.BooleanField(null=True, blank=True, editable=False)
    keeps_from = models.BooleanField(null=True, blank=True, editable=False)

    limit = models.PositiveIntegerField(
        _("messages in any 24 hours"),
        default=500,
        validators=[MaxValueValidator(2000)],
        help_text=_("Gmail allows 500 for a personal account, 2,000 for Workspace."),
    )
    # The plan for a new account, whose messages Gmail refuses far earlier: so many in any 24 hours
    # at first, each day more by so many percent, from the first message of a campaign on.
    ramp = models.BooleanField(_("begin with less and send more from day to day"), default=False)
    ramp_first = models.PositiveIntegerField(
        _("on the first day"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(2000)],
    )
    ramp_growth = models.PositiveIntegerField(
        _("more each day, in percent"),
        default=50,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
    )
    ramp_began_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What a refusal taught: slowly forgotten again (`accounts.quota.Limits`).
    learned_limit = models.PositiveIntegerField(null=True, blank=True, editable=False)
    learned_at = models.DateTimeField(null=True, blank=True, editable=False)
    reserve_by_hand = models.PositiveIntegerField(
        _("kept free for mail you write yourself"), default=50
    )
    reserve_transactional = models.PositiveIntegerField(
        _("kept free for single mails, such as password resets"), default=5
    )

    # When Sent was last read for mail written by hand, when that was last tried, and why it failed
    # then: empty where it did not (`accounts.by_hand`).
    sent_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_tried_at = models.DateTimeField(null=True, blank=True, editable=False)
    sent_trouble = models.TextField(blank=True, editable=False)

    # The same of what comes back (`campaigns.inbound`); one reader at a time, by a lease.
    inbound_read_at = models.DateTimeField(null=True, blank=True, editable=False)
    inbound_tried_at = models.DateTimeField(null=True, blank=True, editable=False)
    inbound_trouble = models.TextField(blank=True, editable=False)
    inbound_until = models.DateTimeField(null=True, blank=True, editable=False)

    # Who is sending for this account now; one burst at a time, so that one session is reused.
    burst_holder = models.CharField(max_length=64, blank=True, editable=False)
    burst_until = models.DateTimeField(null=True, blank=True, editable=False)
    # Since when, or from when on, it waits for its turn: who has waited longest comes first. None
    # is at once. Only when to look, never more than a minute ahead: the claim decides what leaves.
    next_turn_at = models.DateTimeField(null=True, blank=True, editable=False)

    # By how many seconds the clock that its moments are stamped by is ahead of its server's, as a
    # person accepted it; null where only a person's word stands for it. One for all machines.
    clock_ahead = models.FloatField(null=True, blank=True, default=0, editable=False)

    # Until when somebody looks into Sent for what is in doubt; one at a time.
    sent_search_until = models.DateTimeField(null=True, blank=True, editable=False)

    connected_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("Gmail account")
        verbose_name_plural = _("Gmail accounts")
        ordering = ["address"]

    def __str__(self) -> str:
        return self.address

    @property
    def ahead_of_server(self) -> timedelta:
        """How far the clock that stamps its moments is ahead of Gmail's, as far as known."""
        return timedelta(seconds=self.clock_ahead or 0)

    @property
    def is_personal(self) -> bool:
        """Whether it is a personal account; any other domain's is of Google Workspace."""
        return self.address.rpartition("@")[2].lower() in PERSONAL_DOMAINS
