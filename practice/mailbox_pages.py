"""The web mailbox: accounts, what they sent, each message, and what was refused."""

from urllib.parse import quote, urlencode

from twisted.web.template import Tag, tags

from practice.accounts import Account
from practice.folder_pages import folder_links
from practice.ledger import Accepted, Refused
from practice.mailbox import Letter
from practice.pages import count, moment, page, page_number, pages_nav, style
from practice.service import Service
from practice.web import Answer, Call, Route, plain

A_PAGE = 100
# The author's HTML: no script, no form, no request to anywhere, not even when opened by itself.
HTML_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
)


class MailboxPages:
    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[Route]:
        return [
            Route("GET", "/", self.accounts),
            Route("GET", r"/style\.css", style),
            Route("GET", "/sent", self.sent),
            Route("GET", "/refused", self.refused),
            Route("GET", "/message/([a-z0-9]+)", self.message),
            Route("GET", "/message/([a-z0-9]+)/html", self.html),
            Route("GET", "/message/([a-z0-9]+)/source", self.source),
        ]

    def accounts(self, call: Call) -> Answer:
        """The first page: every account, its app password, what it used and what it sent."""
        return page(
            "Accounts",
            self._clock_note(),
            *(self._account_card(account) for account in self._service.accounts),
            tags.p(tags.a(count(len(self._service.refused.rows), "refusal"), href="/refused")),
        )

    def sent(self, call: Call) -> Answer:
        """What one account sent, newest first, narrowed to recipients that contain ``to``."""
        account = self._service.accounts.get(call.query.get("account", ""))
        if account is None:
            return plain("There is no such account here.", 404)
        wanted = call.query.get("to", "").strip()
        messages = self._messages_of(account)
        found = [each for each in messages if wanted.casefold() in each.to.casefold()]
        number = page_number(call.query.get("page", "1"))
        shown = found[(number - 1) * A_PAGE : number * A_PAGE]
        every = count(len(messages), "message")
        return page(
            account.email,
            tags.p(
                tags.strong(every if not wanted else f"{len(found)} of {every}"),
                f" in {self._service.sent_name}. ",
                self._used(account),
            ),
            _search(account, wanted),
            self._message_table(shown),
            _turn_pages(account, wanted, number, len(found)),
        )

    def message(self, call: Call) -> Answer:
        id = call.parts[0]
        letter = self._find(id)
        if letter is None:
            return plain("There is no such message here.", 404)
        accepted = self._service.ledger.messages.get(id)
        top = _accepted_note(accepted) if accepted else _received_note(letter)
        return page(letter.subject or "(no subject)", top, *_letter(id, letter))

    def html(self, call: Call) -> Answer:
        letter = self._find(call.parts[0])
        if letter is None or letter.html is None:
            return plain("There is no such message here.", 404)
        body = letter.html.encode()
        return Answer(body, headers={"Content-Security-Policy": HTML_POLICY})

    def source(self, call: Call) -> Answer:
        """The message as filed, to download."""
        id = call.parts[0]
        if self._find(id) is None:
            return plain("There is no such message here.", 404)
        return Answer(
            self._service.mailbox.source(id),
            content_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{id}.eml"'},
        )

    def refused(self, call: Call) -> Answer:
        number = page_number(call.query.get("page", "1"))
        rows = self._service.refused.rows[::-1]
        shown = rows[(number - 1) * A_PAGE : number * A_PAGE]
        older = len(rows) > number * A_PAGE
        return page(
            "Refused",
            tags.p(count(len(rows), "refusal"), ", newest first."),
            _refused_table(shown),
            pages_nav(
                f"/refused?page={number - 1}" if number > 1 else None,
                f"/refused?page={number + 1}" if older else None,
            ),
        )

    def _find(self, id: str) -> Letter | None:
        """A message that was accepted or that lies in a folder, unless its file was taken away."""
        if id not in self._service.ledger.messages and not self._service.folders.knows_file(id):
            return None
        try:
            return self._service.mailbox.letter(id)
        except FileNotFoundError:
            return None

    def _messages_of(self, account: Account) -> list[Accepted]:
        every = list(self._service.ledger.messages.values())
        return [each for each in reversed(every) if each.account == account.email]

    def _used(self, account: Account) -> str:
        used, limit = self._service.used(account), self._service.limit
        return f"{used:,} of {limit:,} used in the last 24 hours."

    def _clock_note(self) -> Tag:
        now = moment(self._service.clock.now())
        offset = self._service.clock.offset
        shifted = f", shifted by {offset:+,.0f} seconds" if offset else ""
        return tags.p("The practice clock says ", now, f"{shifted}.", class_="quiet")

    def _account_card(self, account: Account) -> Tag:
        sent = count(len(self._messages_of(account)), "message")
        used, limit = self._service.used(account), self._service.limit
        return tags.section(
            tags.h2(account.email),
            tags.p(tags.a(sent, href=f"/sent?account={quote(account.email)}")),
            tags.p(
                tags.meter(
                    f"{used} of {limit}",
                    min="0",
                    max=str(max(limit, 1)),
                    value=str(used),
                    **{"aria-label": "Used in the last 24 hours"},
                ),
                " ",
                self._used(account),
            ),
            folder_links(account),
            tags.p("App password: ", tags.code(account.grouped_app_password)),
        )

    def _message_table(self, messages: list[Accepted]) -> Tag:
        if not messages:
            return tags.p("No messages here.", class_="quiet")
        return tags.table(
            tags.thead(tags.tr(tags.th("To"), tags.th("Subject"), tags.th("Accepted"))),
            tags.tbody(*(self._message_row(each) for each in messages)),
        )

    def _message_row(self, accepted: Accepted) -> Tag:
        subject = self._service.mailbox.subject(accepted.id) or "(no subject)"
        return tags.tr(
            tags.td(accepted.to),
            tags.td(tags.a(subject, href=f"/message/{accepted.id}")),
            tags.td(moment(accepted.at)),
        )


def _accepted_note(accepted: Accepted) -> Tag:
    return tags.p(
        "To ",
        tags.strong(accepted.to),
        ", accepted ",
        moment(accepted.at),
        ". ",
        tags.a(accepted.account, href=f"/sent?account={quote(accepted.account)}"),
    )


def _received_note(letter: Letter) -> Tag:
    fields = dict(letter.header)
    return tags.p("From ", tags.strong(fields.get("From", "")), ", to ", fields.get("To", ""), ".")


def _letter(id: str, letter: Letter) -> list[Tag]:
    address = f"/message/{id}"
    parts = []
    if letter.html is not None:
        frame = tags.iframe(src=f"{address}/html", sandbox="", title="The message as HTML")
        parts += [tags.h2("HTML"), frame]
    if letter.text is not None:
        parts += [tags.h2("Text"), tags.pre(letter.text)]
    if letter.attachments:
        names = ", ".join(name or "(no name)" for name in letter.attachments)
        parts += [tags.h2("Attachments"), tags.p(names)]
    header = tags.details(
        tags.summary("Header"),
        tags.dl(*(tags.div(tags.dt(name), tags.dd(value)) for name, value in letter.header)),
        open="open",
    )
    return [*parts, header, tags.p(tags.a("Download the source", href=f"{address}/source"))]


def _search(account: Account, wanted: str) -> Tag:
    return tags.form(
        tags.input(type="hidden", name="account", value=account.email),
        tags.label("Recipient ", tags.input(type="search", name="to", value=wanted)),
        tags.button("Search", type="submit"),
        action="/sent",
        class_="search",
    )


def _turn_pages(account: Account, wanted: str, number: int, found: int) -> Tag:
    def address(page_number: int) -> str:
        query = {"account": account.email, "to": wanted, "page": str(page_number)}
        return f"/sent?{urlencode(query)}"

    return pages_nav(
        address(number - 1) if number > 1 else None,
        address(number + 1) if found > number * A_PAGE else None,
    )


def _refused_table(rows: list[Refused]) -> Tag:
    if not rows:
        return tags.p("Nothing was refused.", class_="quiet")
    return tags.table(
        tags.thead(tags.tr(tags.th("To"), tags.th("Reply"), tags.th("From"), tags.th("At"))),
        tags.tbody(
            *(
                tags.tr(
                    tags.td(row.to),
                    tags.td(row.reply),
                    tags.td(row.account),
                    tags.td(moment(row.at)),
                )
                for row in rows
            )
        ),
    )
