"""Importing this package registers every admin class on Daypost's site."""

from campaigns.admin import campaign, contact, contact_import, contact_list, inbound_mail, message
from campaigns.admin import suppression as suppression
from campaigns.admin import template as template

__all__ = [
    "campaign",
    "contact",
    "contact_import",
    "contact_list",
    "inbound_mail",
    "message",
    "suppression",
    "template",
]
