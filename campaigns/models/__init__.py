from campaigns.models.campaign import Campaign, CampaignAccount, Revision
from campaigns.models.consent import ConsentRecord
from campaigns.models.contact import Contact, ContactField
from campaigns.models.contact_import import ContactImport
from campaigns.models.contact_list import ContactList, ListMembership
from campaigns.models.event import Event
from campaigns.models.history_entry import HistoryEntry
from campaigns.models.inbound_mail import InboundMail
from campaigns.models.key_mark import KeyMark
from campaigns.models.message import Message
from campaigns.models.public_address import PublicAddress
from campaigns.models.suppression import Suppression
from campaigns.models.template import Template
from campaigns.models.tracked_link import TrackedLink

__all__ = [
    "Campaign",
    "CampaignAccount",
    "ConsentRecord",
    "Contact",
    "ContactField",
    "ContactImport",
    "ContactList",
    "Event",
    "HistoryEntry",
    "InboundMail",
    "KeyMark",
    "ListMembership",
    "Message",
    "PublicAddress",
    "Revision",
    "Suppression",
    "Template",
    "TrackedLink",
]
