"""Any other mail program: what it needs, in the most usual words."""

from django.utils.translation import gettext as _

from accounts.mail_program.guide import Field, Group, Guide
from accounts.mail_program.mailbox import Mailbox


def guide(mailbox: Mailbox) -> Guide:
    user, password = mailbox.user_name(_("User name")), mailbox.password(_("Password"))
    return Guide(
        by_itself=mailbox.by_google(
            _("Look for Google or Gmail where accounts are added: then no password is needed."),
        ),
        by_hand=(_("Add an account by hand, and fill in what stands here."),),
        groups=(
            Group(_("You"), (mailbox.full_name(_("Name")), mailbox.email(_("E-mail address")))),
            Group(
                _("Incoming mail (%(protocol)s)") % {"protocol": mailbox.protocol},
                (
                    mailbox.incoming_host(_("Server")),
                    mailbox.incoming_port(_("Port")),
                    Field(_("Security"), "SSL/TLS"),
                    user,
                    password,
                ),
            ),
            Group(
                _("Outgoing mail (SMTP)"),
                (
                    mailbox.outgoing_host(_("Server")),
                    mailbox.outgoing_port(_("Port")),
                    Field(_("Security"), mailbox.outgoing_security),
                    user,
                    password,
                ),
            ),
        ),
    )
