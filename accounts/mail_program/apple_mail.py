"""Apple Mail, as https://support.apple.com/102619 and the screens of Mac and iPhone name it."""

from django.utils.translation import gettext as _

from accounts.mail_program.guide import Field, Group, Guide
from accounts.mail_program.mailbox import Mailbox


def guide_mac(mailbox: Mailbox) -> Guide:
    return Guide(
        by_itself=mailbox.by_google(
            _("In Mail, choose Mail, then Add Account, then Google, then Continue."),
            _("Log in on Google's page as this account, and allow it. Tick Mail, choose Done."),
        ),
        by_hand=(
            _("In Mail, choose Mail, then Add Account, then Other Mail Account."),
            _("Fill in each part that stands here, and choose Sign In after it."),
            _(
                "Ports stand in Mail, Settings, Accounts, Server Settings: switch “Automatically "
                "manage connection settings” off."
            ),
        ),
        groups=(
            Group(
                _("Add a Mail account"),
                (
                    mailbox.full_name(_("Name")),
                    mailbox.email(_("Email Address")),
                    mailbox.password(_("Password")),
                ),
            ),
            Group(
                _("When it asks for more"),
                (
                    mailbox.user_name(_("User Name")),
                    mailbox.password(_("Password")),
                    Field(_("Account Type"), mailbox.protocol),
                    mailbox.incoming_host(_("Incoming Mail Server")),
                    mailbox.outgoing_host(_("Outgoing Mail Server")),
                ),
            ),
            Group(
                _("Server Settings: incoming mail server"),
                (mailbox.incoming_port(_("Port")), *_tls_and_password(_("Use TLS/SSL"))),
            ),
            Group(
                _("Server Settings: outgoing mail server"),
                (mailbox.outgoing_port(_("Port")), *_tls_and_password(_("Use TLS/SSL"))),
            ),
        ),
    )


def guide_iphone(mailbox: Mailbox) -> Guide:
    user, password = mailbox.user_name(_("User Name")), mailbox.password(_("Password"))
    too_far = _("A phone cannot reach a practice Gmail on this machine: practise on a computer.")
    return Guide(
        by_itself=mailbox.by_google(
            _("In Settings, choose Apps, Mail, Mail Accounts, Add Account, then Google."),
            _("Log in on Google's page as this account, allow it, leave Mail on, choose Save."),
        ),
        by_hand=(
            _("In Settings, choose Apps, Mail, Mail Accounts, Add Account, Other."),
            _("Choose Add Mail Account, fill in the first part, and choose Next."),
            _("Choose %(protocol)s at the top, fill in both servers, choose Next, then Save.")
            % {"protocol": mailbox.protocol},
        ),
        groups=(
            Group(
                _("New Account"),
                (mailbox.full_name(_("Name")), mailbox.email(_("Email")), password),
            ),
            Group(
                _("Incoming Mail Server"), (mailbox.incoming_host(_("Host Name")), user, password)
            ),
            Group(
                _("Outgoing Mail Server"), (mailbox.outgoing_host(_("Host Name")), user, password)
            ),
            Group(
                _("Advanced, for incoming mail"),
                (*_tls_and_password(_("Use SSL")), mailbox.incoming_port(_("Server Port"))),
            ),
            Group(
                _("SMTP, Primary Server, for outgoing mail"),
                (*_tls_and_password(_("Use SSL")), mailbox.outgoing_port(_("Server Port"))),
            ),
        ),
        remarks=(too_far,) if mailbox.is_practice else (),
    )


def _tls_and_password(label: str) -> tuple[Field, Field]:
    return Field(label, _("On")), Field(_("Authentication"), _("Password"))
