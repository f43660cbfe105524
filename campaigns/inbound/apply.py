"""What follows from a mail that came back: for the message, the address, the account, the campaign.

Each mail is applied in one transaction together with the row that remembers it, so that a mail
which is read twice, by whomever, changes nothing the second time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from accounts import standing
from accounts.connect import mailbox_key
from accounts.models import GmailAccount
from campaigns import opting_out
from campaigns.delivery import doubt, limit_notice
from campaigns.delivery.limit_notice import Notice
from campaigns.inbound import matching
from campaigns.inbound.bounces import note_bounce
from campaigns.inbound.classify import Came, Kind
from campaigns.models import Event, InboundMail, Message
from campaigns.opting_out import How
from gmail.failures import Verdict
from gmail.reports import Report

# A limit notice about what was just being handed over is applied again so much later.
AGAIN = timedelta(minutes=1)


@dataclass
class Heard:
    """How many mails were looked at, and what they came to."""

    messages: int = 0
    bounces: int = 0
    replies: int = 0
    opt_outs: int = 0
    limit_notices: int = 0

    def add(self, other: Heard) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True)
class Where:
    """Whose mailbox a mail came to, when, and which message its token names, if it has one."""

    account: GmailAccount
    received: datetime
    named: Message | None


def apply(came: Came, where: Where, now: datetime) -> Heard:
    """Remember `came`, and do what follows. Nothing when it is known, or concerns nobody."""
    heard = Heard()
    if came.kind is Kind.REPORT:
        for report in came.reports:
            heard.add(_apply_report(came, report, where, now))
        return heard
    message = where.named or matching.by_message_ids(where.account, came.header.answers)
    if message is None and came.kind is Kind.OPT_OUT and came.is_authentic:
        message = matching.by_sender(where.account, came.header.sender)
    if message is not None:
        heard.add(_apply_answer(_as_believed(came, message), message, where, now))
    elif came.kind is Kind.OPT_OUT:
        # Somebody wants to be left alone, and it cannot be told who: for a person to look at.
        _remember(came, where, None, trusted=came.is_authentic)
    return heard


def _as_believed(came: Came, message: Message) -> Came:
    """Who asks to stop without a token must be the one who was written to; else it is an answer."""
    if came.kind is not Kind.OPT_OUT or came.by_token:
        return came
    is_theirs = came.header.sender == message.to_email.lower() and not came.is_disowned
    return came if is_theirs else replace(came, kind=Kind.REPLY)


# --- Answers ---------------------------------------------------------------------------------


@transaction.atomic
def _apply_answer(came: Came, message: Message, where: Where, now: datetime) -> Heard:
    mail = _remember(came, where, message)
    if mail is None:
        return Heard()
    doubt.found(message, now)
    if came.kind is Kind.OPT_OUT:
        opting_out.opt_out(message, now, How.MAIL, mail)
        return Heard(opt_outs=1)
    if came.kind is Kind.AUTOMATIC:
        _note(message, Event.Kind.AUTO_REPLIED, mail, came.header.subject)
        return Heard()
    _note(message, Event.Kind.REPLIED, mail, came.text)
    return Heard(replies=1)


# --- Delivery reports ------------------------------------------------------------------------


@transaction.atomic
def _apply_report(came: Came, report: Report, where: Where, now: datetime) -> Heard:
    message = _reported(came, report, where)
    if message is not None and message.is_erased:
        # Read again, it must not bring its recipient back. (An answer is known by its key.)
        return Heard()
    trusted = _is_trusted(came, message, report, where)
    if message is None and not (trusted and _names_none_of_ours(report, where)):
        # About other people's mail, or made up.
        return Heard()
    mail = _remember(came, where, message, report, trusted=trusted)
    if mail is None or not trusted:
        # What was not proven is there to be looked at, and changes nothing.
        return Heard()
    if report.verdict is Verdict.LIMIT:
        notice = _notice(came, report, where)
        mail.at = notice.at
        mail.save(update_fields=["at"])
        _apply_notice(mail, notice, now)
        return Heard(limit_notices=1)
    if report.by_gmail:
        standing.blocked(where.account.pk, _by_gmail(report), mail.at, now)
    if message is None:
        return Heard()
    # Who reports on a message, or answers it, has it: Gmail had taken it.
    doubt.found(message, now)
    return Heard(bounces=note_bounce(message, report, mail))


def _reported(came: Came, report: Report, where: Where) -> Message | None:
    message = matching.by_message_ids(where.account, report.message_ids)
    if message is None and report.recipient and _names_none_of_ours(report, where):
        message = matching.by_recipient(where.account, report.recipient, where.received)
    return message


def _names_none_of_ours(report: Report, where: Where) -> bool:
    """Whether it could not name a message of ours: it names none, or Gmail replaces our names.

    Otherwise it is about mail that a person wrote, and does not concern us.
    """
    return not report.message_ids or where.account.keeps_message_id is False


def _is_trusted(came: Came, message: Message | None, report: Report, where: Where) -> bool:
    """Whether whoever wrote the report can know: Gmail, or the servers of whom we wrote to.

    Anybody else may have seen our Message-ID, in mail that was passed on. What Gmail wrote to
    somebody else is signed as well, and may be sent on by anybody.
    """
    if came.by_gmail:
        return mailbox_key(came.addressed_to) == mailbox_key(where.account.address)
    if message is None or report.verdict is Verdict.LIMIT or report.by_gmail:
        return False
    return came.is_report_of(message.to_email.rpartition("@")[2])


def _by_gmail(report: Report) -> str:
    return _("Gmail refused a message that it had taken: “%(said)s”") % {"said": report.said}


# --- Limit notices ---------------------------------------------------------------------------


def _notice(came: Came, report: Report, where: Where) -> Notice:
    dated = where.received if came.dated is None else came.dated + where.account.ahead_of_server
    return Notice(
        at=min(dated, where.received),
        message_ids=frozenset(report.message_ids),
        recipients=frozenset(filter(None, [report.recipient])),
        said=report.said,
    )


def _apply_notice(mail: InboundMail, notice: Notice, now: datetime) -> None:
    came_to = limit_notice.apply(mail.account_id, notice, now)
    again_at = now + AGAIN if came_to.come_again else None
    InboundMail.objects.filter(pk=mail.pk).update(again_at=again_at)


def apply_again(account_id: int, now: datetime) -> None:
    """Limit notices about what was just being handed over when they were read."""
    waiting = InboundMail.objects.filter(account=account_id, again_at__lte=now)
    for mail in waiting.select_related("message"):
        notice = Notice(
            at=mail.at,
            message_ids=frozenset([mail.message.message_id] if mail.message else []),
            recipients=frozenset(filter(None, [mail.recipient])),
            said=mail.said,
        )
        with transaction.atomic():
            _apply_notice(mail, notice, now)


# --- What is kept ----------------------------------------------------------------------------


def _remember(
    came: Came,
    where: Where,
    message: Message | None,
    report: Report | None = None,
    *,
    trusted: bool = True,
) -> InboundMail | None:
    """The row of this mail; None when there is one already."""
    recipient = (report.recipient or "")[:254] if report else ""
    mail, new = InboundMail.objects.get_or_create(
        account=where.account,
        key=came.key,
        recipient=recipient,
        defaults={
            "kind": came.kind.value,
            "message": message,
            "at": where.received,
            "sender": came.header.sender,
            "subject": came.header.subject[:500],
            "text": came.text,
            "verdict": report.verdict.value if report else "",
            "said": report.said if report else "",
            "trusted": trusted,
        },
    )
    return mail if new else None


def _note(message: Message, kind: Event.Kind, mail: InboundMail, detail: str) -> None:
    Event.objects.create(message=message, kind=kind, at=mail.at, mail=mail, detail=detail)
