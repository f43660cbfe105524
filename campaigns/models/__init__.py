from campaigns.models.campaign import Campaign, CampaignAccount, Revision
from campaigns.models.contact import Contact, ContactField
from campaigns.models.contact_import import ContactImport
from campaigns.models.contact_list import ContactList, ListMembership
from campaigns.models.event import Event
from campaigns.models.history_entry import HistoryEntry
from campaigns.models.message import Message
from campaigns.models.suppression import Suppression
from campaigns.models.template import Template

__all__ = [
    "Campaign",
    "CampaignAccount",
    "Contact",
    "ContactField",
    "ContactImport",
    "ContactList",
    "Event",
    "HistoryEntry",
    "ListMembership",
    "Message",
    "Revision",
    "Suppression",
    "Template",
]
