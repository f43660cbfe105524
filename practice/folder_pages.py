"""The web mailbox's view of a folder: what came back to an account, and where it lies."""

from urllib.parse import quote, urlencode

from twisted.web.template import Tag, tags

from practice.accounts import Account
from practice.folders import ALL, INBOX, ROLES, SENT, Filed, Role
from practice.pages import count, moment, page, page_number, pages_nav
from practice.service import Service
from practice.web import Answer, Call, Route, plain

A_PAGE = 100
SHOWN = {INBOX: "Inbox", SENT: "Sent", ALL: "All mail"}


class FolderPages:
    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        return [Route("GET", "/folder", self.folder)]

    def folder(self, call: Call) -> Answer:
        """The messages of one folder, newest first."""
        account = self._service.accounts.get(call.query.get("account", ""))
        role = ROLES.get(call.query.get("name", ""))
        if account is None or role not in SHOWN:
            return plain("There is no such folder here.", 404)
        self._service.post.deliver()
        number = page_number(call.query.get("page", "1"))
        folder = self._service.folders.folder(account.email, role)
        total = self._service.folders.count(folder)
        shown = self._service.folders.newest(folder, at_most=A_PAGE, skip=(number - 1) * A_PAGE)
        return page(
            account.email,
            tags.p(tags.strong(count(total, "message")), f" in {SHOWN[role]}."),
            folder_links(account),
            self._table(shown),
            pages_nav(
                _address(account, role, number - 1) if number > 1 else None,
                _address(account, role, number + 1) if total > number * A_PAGE else None,
            ),
        )

    def _table(self, shown: list[Filed]) -> Tag:
        if not shown:
            return tags.p("No messages here.", class_="quiet")
        return tags.table(
            tags.thead(
                tags.tr(tags.th("From"), tags.th("To"), tags.th("Subject"), tags.th("Arrived"))
            ),
            tags.tbody(*(self._row(each) for each in shown)),
        )

    def _row(self, filed: Filed) -> Tag:
        fields = self._service.mailbox.fields(filed.file, "From", "To", "Subject")
        subject = tags.a(fields["Subject"] or "(no subject)", href=f"/message/{filed.file}")
        unread = "\\Seen" not in filed.flags
        return tags.tr(
            tags.td(fields["From"]),
            tags.td(fields["To"]),
            tags.td(tags.strong(subject) if unread else subject),
            tags.td(moment(filed.received)),
        )


def folder_links(account: Account) -> Tag:
    """The folders of an account, to go from one to another."""
    links = [tags.a(name, href=_address(account, role, 1)) for role, name in SHOWN.items()]
    return tags.nav(*links, **{"aria-label": f"Folders of {account.email}"})


def _address(account: Account, role: Role, number: int) -> str:
    query = {"account": account.email, "name": role.key}
    return f"/folder?{urlencode(query, quote_via=quote)}" + (
        f"&page={number}" if number > 1 else ""
    )
