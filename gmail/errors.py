"""What can go wrong between us and Google. A secret never appears in the text of any of these."""

from __future__ import annotations

import ssl

from gmail.replies import LoginRefusal, Phase, Reply, fit_to_keep


class GmailError(Exception):
    """The base of everything this package raises on purpose.

    `words` may hold a server's: they are kept and shown as `fit_to_keep` leaves them.
    """

    def __init__(self, words: str) -> None:
        super().__init__(fit_to_keep(words))


# --- Reaching and entering -------------------------------------------------------------------


class Unreachable(GmailError):
    """No connection, a failed TLS handshake, or silence before anything was agreed."""

    @classmethod
    def because(cls, host: str, err: OSError) -> Unreachable:
        """The cause of a failed connection to `host` in a few words."""
        return cls(f"{host}: {_cause(err)}")


class ConnectionLost(GmailError):
    """The line broke or made no sense, certainly before the message could be accepted."""

    def __init__(self, phase: Phase) -> None:
        super().__init__(f"The connection to Gmail was lost ({phase}).")
        self.phase = phase


class AuthRefused(GmailError):
    """Gmail does not let us in, and will not until somebody acts. `said`: its words."""

    def __init__(self, why: LoginRefusal, said: str) -> None:
        super().__init__(f"Gmail refused the login: {said}")
        self.why = why
        self.said = fit_to_keep(said)


class Temporary(GmailError):
    """Gmail turned the session away for now; later it may not. `said`: its words."""

    def __init__(self, said: str) -> None:
        super().__init__(f"Gmail is not available now: {said}")
        self.said = fit_to_keep(said)


# --- Reading ---------------------------------------------------------------------------------


class SessionEnded(GmailError):
    """A session for reading is over: Gmail closed it, or the line broke. Nothing was changed by
    it: connect again, log in with a token that is valid then, carry on."""


class FolderMissing(GmailError):
    r"""No folder that IMAP shows bears this flag (RFC 6154). `flag` is like `\Sent`."""

    def __init__(self, flag: str) -> None:
        super().__init__(f"IMAP shows no folder with the flag {flag}.")
        self.flag = flag


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


def _cause(err: OSError) -> str:
    if isinstance(err, TimeoutError):
        return "no answer in time"
    if isinstance(err, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({err.verify_message})"
    if isinstance(err, ssl.SSLError):
        return f"no TLS connection ({err.reason})"
    return err.strerror or type(err).__name__
