"""Thunderbird, as https://support.mozilla.org/kb/manual-account-configuration has it."""

from django.utils.translation import gettext as _

from accounts.mail_program.guide import Field, Group, Guide
from accounts.mail_program.mailbox import Mailbox


def guide(mailbox: Mailbox) -> Guide:
    if mailbox.is_practice:
        method, log_in = _("Normal password"), _("Paste the app password when it is asked for.")
    else:
        method = _("OAuth2 (or Normal password)")
        log_in = _("With OAuth2 Google's page opens; with Normal password, paste an app password.")
    return Guide(
        by_itself=mailbox.by_google(
            _("Choose New account, then Email: on the start page, or in the menu."),
            _("Type your name and your address, and choose Continue: the servers are known."),
            _("Choose IMAP. Google's page opens by itself: log in and allow it."),
        ),
        by_hand=(
            _("Choose New account, then Email. Type your name and your address."),
            _("Choose Configure manually, fill in what stands here, then Re-test, then Done."),
            log_in,
        ),
        groups=(
            Group(
                _("Your account"),
                (mailbox.full_name(_("Your full name")), mailbox.email(_("Email address"))),
            ),
            Group(
                _("Incoming server"),
                (
                    Field(_("Protocol"), "POP3" if mailbox.incoming == "pop" else "IMAP"),
                    mailbox.incoming_host(_("Hostname")),
                    mailbox.incoming_port(_("Port")),
                    Field(_("Connection security"), "SSL/TLS"),
                    Field(_("Authentication method"), method),
                    mailbox.user_name(_("Username")),
                ),
            ),
            Group(
                _("Outgoing server"),
                (
                    mailbox.outgoing_host(_("Hostname")),
                    mailbox.outgoing_port(_("Port")),
                    Field(_("Connection security"), mailbox.outgoing_security),
                    Field(_("Authentication method"), method),
                    mailbox.user_name(_("Username")),
                ),
            ),
        ),
    )
