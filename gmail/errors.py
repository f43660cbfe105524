"""What can go wrong between us and Google. A secret never appears in the text of any of these."""

from gmail.replies import Phase, Reply


class GmailError(Exception):
    """The base of everything this package raises on purpose."""


# --- Reaching and entering -------------------------------------------------------------------


class Unreachable(GmailError):
    """No connection, a failed TLS handshake, or silence before anything was agreed."""


class ConnectionLost(GmailError):
    """The line broke or made no sense, certainly before the message could be accepted."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(f"The connection to Gmail was lost ({phase}).")
        self.phase = phase


class AuthRefused(GmailError):
    """The secret is wrong or revoked: somebody has to connect the account again."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"Gmail refused the login: {reply}")
        self.reply = reply


class Temporary(GmailError):
    """Gmail turned the session away before a message was begun; later it may not."""

    def __init__(self, reply: Reply, phase: Phase = Phase.CONNECT) -> None:
        super().__init__(f"Gmail is not available now ({phase}): {reply}")
        self.reply = reply
        self.phase = phase


# --- A message -------------------------------------------------------------------------------


class Refused(GmailError):
    """Gmail said no before the end of the message: certainly not accepted."""

    def __init__(self, reply: Reply, phase: Phase) -> None:
        super().__init__(f"Gmail refused the message ({phase}): {reply}")
        self.reply = reply
        self.phase = phase


class FateUnknown(GmailError):
    """The line was lost after the end of the message may have left: nobody here knows."""

    def __init__(self) -> None:
        super().__init__("The connection was lost before Gmail answered the end of the message.")


# --- OAuth -----------------------------------------------------------------------------------


class GrantRevoked(GmailError):
    """`invalid_grant`: the consent or the code is no longer good. Never tried again."""


class ClientRefused(GmailError):
    """Google does not know the client id, or not with this secret or redirect address."""


class ConsentRefused(GmailError):
    """The person, or an administrator, did not allow the access."""


class StateMismatch(GmailError):
    """An answer that does not belong to the question that was asked."""


class ScopeMissing(GmailError):
    """The consent leaves out what is needed. `missing` holds the scopes."""

    def __init__(self, missing: tuple[str, ...]) -> None:
        super().__init__(f"The consent leaves out: {', '.join(missing)}")
        self.missing = missing


class RefreshTokenMissing(GmailError):
    """Google gave access for an hour only, and nothing to renew it with."""


class MailboxUnknown(GmailError):
    """Google did not say whose mailbox the consent is for."""
