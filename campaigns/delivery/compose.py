"""From a claimed message to the finished bytes."""

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import GmailAccount
from campaigns.delivery import leaving, public_pages
from campaigns.delivery.counting import Counting, counting_of
from campaigns.delivery.merge_links import merge_links, shown_links
from campaigns.models import Message, Revision
from campaigns.models.merge_fields import merge_values
from campaigns.rendering import merge, mime
from campaigns.rendering.letter import Letter, rendered
from campaigns.rendering.mime import Address


class NotWritable(Exception):
    """This one message cannot be written, whatever is tried: skip it and say why."""


class ContentBroken(Exception):
    """The campaign's content fails: every message would, so the campaign pauses."""


@dataclass
class Composer:
    """Writes messages of one account; a campaign's revision is read once a burst."""

    account: GmailAccount
    revisions: dict[tuple[int, int], Revision] = field(default_factory=dict)
    countings: dict[int, Counting] = field(default_factory=dict)

    def compose(self, message: Message, now: datetime) -> bytes:
        """The finished message (RFC 5322, CRLF). Raises NotWritable, ContentBroken.

        Bytes that are kept are never written again: they may have arrived once already.
        """
        if message.campaign_id is not None and message.contact is None:
            raise NotWritable(_("The contact was deleted before the message left."))
        if message.raw is not None:
            return bytes(message.raw)
        if message.campaign_id is None or message.contact is None:
            raise NotWritable(_("Its content is kept no more."))
        try:
            return self._written(message, now)
        except merge.MergeError as error:
            if _is_broken(self._revision(message)):
                raise ContentBroken(str(error)) from error
            # Only with what this contact has in its fields.
            raise NotWritable(str(error)) from error
        except mime.MessageError as error:
            raise NotWritable(str(error)) from error

    def _written(self, message: Message, now: datetime) -> bytes:
        letter = self.letter(message)
        name = message.contact.full_name if message.contact else ""
        return mime.build(
            sender=self._sender(),
            reply_to=self.account.reply_to,
            to=Address(name, message.to_email),
            subject=letter.subject,
            html=self._counting(message, now).put_into(letter.html, message.pk),
            text=letter.text,
            message_id=message.message_id,
            date=now,
            headers=self._headers(message),
        )

    def letter(self, message: Message, *, shown: bool = False) -> Letter:
        """What the contact of this campaign message reads, by its revision. Raises MergeError.

        `shown`: on a page that anybody may have been given the address of.
        """
        revision, contact = self._revision(message), message.contact
        values = merge_values(contact, self.account.workspace) if contact else {}
        links = shown_links if shown else merge_links
        values |= links(message.pk, self.account)
        return rendered(revision.subject, revision.html, revision.text, values)

    def _counting(self, message: Message, now: datetime) -> Counting:
        revision = self._revision(message)
        if revision.pk not in self.countings:
            self.countings[revision.pk] = counting_of(revision, now)
        return self.countings[revision.pk]

    def _sender(self) -> Address:
        """Who the mail is from; whom the envelope names is always the account itself."""
        return Address(self.account.display_name, self.account.from_address or self.account.address)

    def _headers(self, message: Message) -> dict[str, str]:
        # A mail to the account works without a public address, for every mail program, and
        # whatever Gmail makes of an alias.
        by_mail = f"<{leaving.opt_out_link(self.account.address, message.pk)}>"
        if not settings.PUBLIC_URL:
            return {"List-Unsubscribe": by_mail}
        # RFC 8058 section 3.1.
        return {
            "List-Unsubscribe": f"<{public_pages.leave(message.pk)}>, {by_mail}",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }

    def _revision(self, message: Message) -> Revision:
        key = message.campaign_id or 0, message.revision
        if key not in self.revisions:
            found = Revision.objects.select_related("campaign")
            self.revisions[key] = found.get(campaign=key[0], number=key[1])
        return self.revisions[key]


def _is_broken(revision: Revision) -> bool:
    """Whether the content fails by itself, whoever it is written to."""
    sources = revision.subject, revision.html, revision.text
    return any(problem.fatal for source in sources for problem in merge.check(source, ()))
