"""A profile that sets an account up in Apple Mail by itself, on a Mac, an iPhone or an iPad.

Keys by https://developer.apple.com/documentation/devicemanagement/mail (the account) and
/toplevel (the profile). It holds no password: whoever installs it is asked for it. It holds no
certificate of a practice Gmail either: its authority's key lies on this machine, and nobody should
trust it for more than one program.
"""

import plistlib
import re
import uuid
from typing import Any

from django.utils.translation import gettext as _

from accounts.mail_program.mailbox import Mailbox

CONTENT_TYPE = "application/x-apple-aspen-config"

# So that a newer profile of a mailbox takes the place of an older one.
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "daypost:apple-profile")


def apple_profile(mailbox: Mailbox, mailbox_key: str) -> bytes:
    """The profile, an XML property list, for IMAP and SMTP with TLS from the start.

    `mailbox_key` tells mailboxes apart: the same one always gives the same identifiers.
    """
    title = _("%(address)s (mail)") % {"address": mailbox.address}
    profile = {
        **_payload("Configuration", mailbox_key, "profile"),
        "PayloadDisplayName": title,
        "PayloadDescription": _("Sets up %(address)s in Mail. Made by Daypost; remove it any time.")
        % {"address": mailbox.address},
        "PayloadOrganization": "Daypost",
        "PayloadScope": "User",
        "PayloadContent": [_account(mailbox, mailbox_key, title)],
    }
    return plistlib.dumps(profile, sort_keys=False)


def file_name(mailbox: Mailbox) -> str:
    """A name that every system takes: `ana-gmail.com.mobileconfig`."""
    plain = re.sub(r"[^A-Za-z0-9.]+", "-", mailbox.address).strip("-.")
    return f"{plain}.mobileconfig"


def _account(mailbox: Mailbox, mailbox_key: str, title: str) -> dict[str, Any]:
    servers = mailbox.servers
    account = {
        **_payload("com.apple.mail.managed", mailbox_key, "account"),
        "PayloadDisplayName": title,
        "EmailAccountDescription": mailbox.address,
        "EmailAddress": mailbox.address,
        "EmailAccountType": "EmailTypeIMAP",
        "IncomingMailServerHostName": servers.imap_host,
        "IncomingMailServerPortNumber": servers.imap_port,
        "IncomingMailServerUseSSL": True,
        "IncomingMailServerAuthentication": "EmailAuthPassword",
        "IncomingMailServerUsername": mailbox.address,
        "OutgoingMailServerHostName": servers.smtp_host,
        "OutgoingMailServerPortNumber": servers.smtp_ssl_port,
        "OutgoingMailServerUseSSL": True,
        "OutgoingMailServerAuthentication": "EmailAuthPassword",
        "OutgoingMailServerUsername": mailbox.address,
        "OutgoingPasswordSameAsIncomingPassword": True,
    }
    # It may be left out; an empty one would be shown as it is.
    return account | ({"EmailAccountName": mailbox.name} if mailbox.name else {})


def _payload(kind: str, mailbox_key: str, part: str) -> dict[str, Any]:
    """What every payload has: its type, and who it is."""
    identity = uuid.uuid5(_NAMESPACE, f"{part}:{mailbox_key}")
    return {
        "PayloadType": kind,
        "PayloadVersion": 1,
        "PayloadIdentifier": f"daypost.{part}.{identity}",
        "PayloadUUID": str(identity).upper(),
    }
