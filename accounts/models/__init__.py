from accounts.models.check_up import CheckUp
from accounts.models.clock_check import ClockCheck
from accounts.models.generation import Generation
from accounts.models.gmail_account import GmailAccount
from accounts.models.halt import Halt
from accounts.models.ledger_row import LedgerRow
from accounts.models.mail_by_hand import MailByHand
from accounts.models.membership import Membership
from accounts.models.oauth_client import OAuthClient
from accounts.models.read_folder import ReadFolder
from accounts.models.rest import Rest
from accounts.models.seen_mail import SeenMail
from accounts.models.user import User
from accounts.models.workspace import Workspace

__all__ = [
    "CheckUp",
    "Generation",
    "ClockCheck",
    "GmailAccount",
    "Halt",
    "LedgerRow",
    "MailByHand",
    "Membership",
    "OAuthClient",
    "Rest",
    "ReadFolder",
    "SeenMail",
    "User",
    "Workspace",
]
