"""What Gmail makes of what it accepted."""

import time
from email.message import Message

from tests.live.account import ID_DOMAIN, Account, Copy, Probe
from tests.live.facts import Fact

FOREIGN = f"somebody@{ID_DOMAIN}"
# How long to go on looking for a second copy once one is there, as a share of the patience.
_SETTLED = 6


def a_valid_message_id(account: Account) -> str:
    copy = _sent_copy(account)
    if copy is None:
        return "no copy in Sent"
    kept = copy.header["Message-ID"] == account.example.probe.message_id
    return "kept" if kept else f"replaced by {copy.header['Message-ID']}"


def an_invalid_message_id(account: Account) -> str:
    probe = account.compose("an id with two @", Message_ID=f"<two@signs@{ID_DOMAIN}>")
    header = _header_in_sent(account, probe)
    if header is None:
        return "no copy in Sent"
    original = header["X-Google-Original-Message-ID"]
    if header["Message-ID"] == probe.message_id:
        return "kept"
    domain = str(header["Message-ID"]).rpartition("@")[2].removesuffix(">")
    return f"replaced by one at {domain}; the old one in X-Google-Original-Message-ID: {original}"


def the_copy_in_sent(account: Account) -> str:
    """By a message of its own, waited for at once."""
    if account.sent_folder is None:
        return "Sent is not shown"
    accepted = account.send(account.compose("how soon in Sent"))
    copy = account.wait_for(accepted, account.sent_folder)
    return f"after {copy.seconds:.1f} s" if copy else f"not within {account.settings.patience:g} s"


def found_by_search(account: Account) -> str:
    if _sent_copy(account) is None or account.sent_folder is None:
        return "no copy in Sent"
    imap = account.imap()
    imap.examine(account.sent_folder)
    way = "X-GM-RAW rfc822msgid:" if imap.offers_gmail_search else "HEADER MESSAGE-ID"
    found = len(imap.find(account.example.probe.message_id))
    return f"{way} finds {found}"


def the_same_id_twice(account: Account) -> str:
    probe = account.compose("the same id twice")
    accepted = [account.send(probe) for _ in range(2)]
    if account.sent_folder is None or account.wait_for(accepted[0], account.sent_folder) is None:
        return "no copy in Sent"
    deadline = time.monotonic() + account.settings.patience / _SETTLED
    while time.monotonic() < deadline:
        account.wait_a_moment()
    copies = account.copies(probe, account.sent_folder)
    replies = ", ".join(str(each.reply.code) for each in accepted)
    return f"answers {replies}; {len(copies)} in Sent"


def a_foreign_from(account: Account) -> str:
    return _fate_of_from(account, FOREIGN)


def an_alias_as_from(account: Account) -> str:
    if not account.settings.alias:
        return "not tried"
    return _fate_of_from(account, account.settings.alias)


def a_foreign_envelope_sender(account: Account) -> str:
    accepted = account.send(account.compose("a foreign envelope"), sender=FOREIGN)
    if accepted.reply.code != 250:
        return str(accepted.reply)
    copy = account.wait_for(accepted, "INBOX")
    return f"Return-Path is {copy.header['Return-Path']}" if copy else "no copy in the inbox"


def a_plus_address(account: Account) -> str:
    local, _, domain = account.address.partition("@")
    tag = "Tk7Q2a"
    accepted = account.send(account.compose("a plus address"), to=f"{local}+{tag}@{domain}")
    copy = account.wait_for(accepted, "INBOX")
    if copy is None:
        return "no copy in the inbox"
    delivered = str(copy.header["Delivered-To"])
    case = "as it was" if tag in delivered else "in other case" if tag.lower() in delivered else ""
    told = f"Delivered-To has the tag {case}" if case else "Delivered-To has no tag"
    return f"in the inbox after {copy.seconds:.1f} s; {told}"


def unsubscribing_is_signed(account: Account) -> str:
    """Whether a signature that passed names the field (RFC 6376, the h= tag)."""
    copy = _copy_elsewhere(account) if account.second else _inbox_copy(account)
    if copy is None:
        return "no copy arrived"
    where = "at the second address" if account.second else "in the own inbox"
    signatures = [str(each) for each in copy.header.get_all("DKIM-Signature", [])]
    if not signatures:
        return f"no DKIM-Signature {where}"
    return "; ".join(f"{_signed_fields(each)} ({where})" for each in signatures)


def _signed_fields(signature: str) -> str:
    tags = dict(
        part.strip().split("=", 1) for part in "".join(signature.split()).split(";") if "=" in part
    )
    signed = tags.get("h", "").lower().split(":")
    names = {name: name in signed for name in ("list-unsubscribe", "list-unsubscribe-post")}
    told = ", ".join(f"{name} {'signed' if yes else 'not signed'}" for name, yes in names.items())
    return f"{told} by {tags.get('d', 'nobody')}"


def _sent_copy(account: Account) -> Copy | None:
    if account.sent_folder is None:
        return None
    return account.wait_for(account.example, account.sent_folder)


def _inbox_copy(account: Account) -> Copy | None:
    return account.wait_for(account.example, "INBOX")


def _copy_elsewhere(account: Account) -> Copy | None:
    assert account.second is not None
    accepted = account.send(account.example.probe, to=account.second.address)
    return account.second.wait_for(accepted, "INBOX")


def _header_in_sent(account: Account, probe: Probe) -> Message | None:
    accepted = account.send(probe)
    if account.sent_folder is None:
        return None
    copy = account.wait_for(accepted, account.sent_folder)
    return copy.header if copy else None


def _fate_of_from(account: Account, address: str) -> str:
    header = _header_in_sent(account, account.compose("another From", From=address))
    if header is None:
        return "no copy in Sent"
    original = header["X-Google-Original-From"]
    if address in str(header["From"]):
        return "kept"
    return f"rewritten to {header['From']}; X-Google-Original-From: {original}"


FACTS = (
    Fact("A valid Message-ID of another domain", "kept", "H", a_valid_message_id),
    Fact(
        "A Message-ID with two @",
        "replaced by one at mx.google.com, the old one in X-Google-Original-Message-ID",
        "H",
        an_invalid_message_id,
    ),
    Fact("The copy in Sent", "after 10 to 60 s", "M", the_copy_in_sent),
    Fact("Search for the Message-ID", "X-GM-RAW rfc822msgid: finds 1", "H", found_by_search),
    Fact("The same Message-ID sent twice", "both accepted, 1 in Sent", "M", the_same_id_twice),
    Fact(
        "A From that is no alias",
        "rewritten to the account, the old one in X-Google-Original-From",
        "H",
        a_foreign_from,
    ),
    Fact("A verified alias as From", "kept", "H", an_alias_as_from),
    Fact(
        "An envelope sender that is not the account",
        "accepted; Return-Path is the account",
        "L",
        a_foreign_envelope_sender,
    ),
    Fact("A plus address of one's own", "in the own inbox; case may change", "H", a_plus_address),
    Fact("List-Unsubscribe in the DKIM signature", "not known", "?", unsubscribing_is_signed),
)
