"""Outlook for Windows, the new one and the classic one: two programs of one name.

Labels as in https://support.microsoft.com/office, "Add an email account to Outlook for Windows".
"""

from django.utils.translation import gettext as _

from accounts.mail_program.guide import Field, Group, Guide
from accounts.mail_program.mailbox import Mailbox


def guide_new(mailbox: Mailbox) -> Guide:
    protocol = {"protocol": mailbox.protocol}
    to_accounts = _("Choose the gear (Settings), then Accounts, Your accounts, Add account.")
    return Guide(
        by_itself=mailbox.by_google(
            to_accounts,
            _("Type your address and choose Continue. Google's page opens in your browser."),
            _("Log in there, allow what is asked, and go back to Outlook."),
        ),
        by_hand=(
            to_accounts,
            _("Type the address, choose Choose provider, then %(protocol)s, then Show more.")
            % protocol,
        ),
        groups=(
            Group(
                _("Incoming mail"),
                (
                    mailbox.user_name(_("%(protocol)s username") % protocol),
                    mailbox.password(_("%(protocol)s password") % protocol),
                    mailbox.incoming_host(_("%(protocol)s incoming server") % protocol),
                    mailbox.incoming_port(_("Port")),
                    Field(_("Secure connection type"), "SSL/TLS"),
                ),
            ),
            Group(
                _("Outgoing mail"),
                (
                    mailbox.user_name(_("SMTP username")),
                    mailbox.password(_("SMTP password")),
                    mailbox.outgoing_host(_("SMTP outgoing server")),
                    mailbox.outgoing_port(_("Port")),
                    Field(_("Secure connection type"), mailbox.outgoing_security),
                ),
            ),
        ),
        remarks=(_through_microsoft(mailbox),),
    )


def _through_microsoft(mailbox: Mailbox) -> str:
    if mailbox.is_practice:
        return _(
            "The new Outlook fetches mail through Microsoft's servers, and those cannot reach a "
            "practice Gmail on this machine. Practise with the classic Outlook or Thunderbird."
        )
    return _(
        "The new Outlook keeps a copy of the mailbox at Microsoft, and says so before it begins. "
        "The classic Outlook keeps it on your computer."
    )


def guide_classic(mailbox: Mailbox) -> Guide:
    spa = Field(_("Require logon using Secure Password Authentication (SPA)"), _("Off"))
    return Guide(
        by_itself=mailbox.by_google(
            _("Choose File, then Add Account. Type your address and choose Connect."),
            _(
                "Outlook for Microsoft 365 and the newest ones without it open Google's page: log "
                "in and allow it. One that asks for a password wants an app password."
            ),
        ),
        by_hand=(
            _("Choose File, then Add Account. Type your address and open Advanced options."),
            _("Tick “Let me set up my account manually”, choose Connect, then %(protocol)s.")
            % {"protocol": mailbox.protocol},
            _("Fill in what stands here, choose Next, paste the app password, choose Connect."),
        ),
        groups=(
            Group(
                _("Incoming mail"),
                (
                    mailbox.incoming_host(_("Server")),
                    mailbox.incoming_port(_("Port")),
                    Field(_("Encryption method"), "SSL/TLS"),
                    spa,
                ),
            ),
            Group(
                _("Outgoing mail"),
                (
                    mailbox.outgoing_host(_("Server")),
                    mailbox.outgoing_port(_("Port")),
                    Field(_("Encryption method"), mailbox.outgoing_security),
                    spa,
                ),
            ),
            Group(_("On the next page"), (mailbox.password(_("Password")),)),
            Group(
                _("Afterwards, in File, Account Settings, Account Settings, Change"),
                (mailbox.full_name(_("Your name")),),
            ),
        ),
    )
