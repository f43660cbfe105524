"""Everything that a workspace knows of a person, for that person (GDPR Articles 15 and 20)."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from accounts.tenancy import visible
from campaigns.contacts import traces
from campaigns.models import Contact, ContactField, InboundMail, Message, Suppression

Known = dict[str, Any]


def everything_known(contact: Contact, now: datetime) -> Known:
    """As plain values for JSON; moments in UTC, as ISO 8601."""
    return {
        "exported_at": now.isoformat(),
        "workspace": contact.workspace.name,
        "contact": _contact(contact),
        "lists": [
            {
                "list": membership.contact_list.name,
                "added_at": _moment(membership.added_at),
                "left_at": _moment(membership.left_at),
            }
            for membership in contact.memberships.select_related("contact_list").order_by("id")
        ],
        "consent": [
            {
                "at": _moment(record.at),
                "kind": record.kind,
                "source": record.source,
                "wording": record.wording,
                "by": str(record.by or ""),
            }
            for record in contact.consent_records.select_related("by")
        ],
        "suppression": _suppression(contact),
        "messages": [_message(message) for message in _with_all(messages_of(contact))],
        "other_mail_that_came_back": [_mail(mail) for mail in _unmatched(contact)],
        "imports": [
            {
                "file": trace.job.file_name,
                "at": _moment(trace.job.created_at),
                "rows_not_imported": trace.problems,
            }
            for trace in traces.imports_with(contact.workspace, contact.email_key)
        ],
    }


def messages_of(contact: Contact) -> QuerySet[Message]:
    """All that were written to this person, or to the address before there was this contact."""
    here = visible(Message.objects.defer("raw"), contact.workspace)
    return here.filter(Q(contact=contact) | Q(to_email__iexact=contact.email_key))


def mail_of(contact: Contact) -> QuerySet[InboundMail]:
    """What came back to these messages, from this address, or about it."""
    here = visible(InboundMail.objects.all(), contact.workspace)
    return here.filter(
        Q(message__in=messages_of(contact).values("pk"))
        | Q(sender__iexact=contact.email_key)
        | Q(recipient__iexact=contact.email_key)
    )


def suppressions_of(contact: Contact) -> QuerySet[Suppression]:
    return visible(Suppression.objects.all(), contact.workspace).filter(
        email_hash=contact.email_hash
    )


def _contact(contact: Contact) -> Known:
    labels = dict(
        visible(ContactField.objects.all(), contact.workspace).values_list("name", "label")
    )
    return {
        "email": contact.email,
        "first_name": contact.first_name,
        "last_name": contact.last_name,
        "fields": {labels.get(name, name): value for name, value in contact.fields.items()},
        "where_the_consent_comes_from": contact.consent,
        "looks_odd": contact.suspicious,
        "added_at": _moment(contact.created_at),
        "changed_at": _moment(contact.updated_at),
    }


def _suppression(contact: Contact) -> Known | None:
    found = suppressions_of(contact).first()
    if found is None:
        return None
    return {"since": _moment(found.created_at), "reason": found.reason, "note": found.note}


def _with_all(messages: QuerySet[Message]) -> QuerySet[Message]:
    related = messages.select_related("campaign", "account").order_by("id")
    return related.prefetch_related("events__link", "history__by", "inbound_mail")


def _message(message: Message) -> Known:
    return {
        "to": message.to_email,
        "campaign": message.campaign.name if message.campaign else None,
        "from": message.account.address if message.account else None,
        "message_id": message.message_id,
        "state": message.state,
        "what_gmail_said": message.reply,
        "created_at": _moment(message.created_at),
        "handed_over_at": _moment(message.handed_over_at),
        "sent_at": _moment(message.sent_at),
        "events": [
            {
                "at": _moment(event.at),
                "kind": event.kind,
                "detail": event.detail,
                "link": event.link.url if event.link else None,
                "probably_by_a_program": event.by_machine,
            }
            for event in message.events.all()
        ],
        "history": [
            {"at": _moment(one.at), "kind": one.kind, "detail": one.detail, "by": str(one.by or "")}
            for one in message.history.all()
        ],
        "mail_that_came_back": [_mail(mail) for mail in message.inbound_mail.all()],
    }


def _unmatched(contact: Contact) -> QuerySet[InboundMail]:
    theirs = messages_of(contact).values("pk")
    return mail_of(contact).exclude(message__in=theirs).order_by("id")


def _mail(mail: InboundMail) -> Known:
    return {
        "at": _moment(mail.at),
        "kind": mail.kind,
        "from": mail.sender,
        "subject": mail.subject,
        "text": mail.text,
        "about": mail.recipient,
        "verdict": mail.verdict,
        "it_says": mail.said,
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
