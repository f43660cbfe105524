"""The web mailbox: accounts, what they sent, each message, and what was refused."""

import re
from datetime import datetime
from urllib.parse import quote, urlencode

from twisted.web.template import Tag, tags

from practice.accounts import Account
from practice.ledger import Accepted, Refused
from practice.mailbox import Letter
from practice.pages import page, style
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
            tags.p(tags.a(_count(len(self._service.refused.rows), "refusal"), href="/refused")),
        )

    def sent(self, call: Call) -> Answer:
        """What one account sent, newest first, narrowed to recipients that contain ``to``."""
        account = self._service.accounts.get(call.query.get("account", ""))
        if account is None:
            return plain("There is no such account here.", 404)
        wanted = call.query.get("to", "").strip()
        messages = self._messages_of(account)
        found = [each for each in messages if wanted.casefold() in each.to.casefold()]
        number = _page_number(call.query.get("page", "1"))
        shown = found[(number - 1) * A_PAGE : number * A_PAGE]
        count = _count(len(messages), "message")
        return page(
            account.email,
            tags.p(
                tags.strong(count if not wanted else f"{len(found)} of {count}"),
                f" in {self._service.sent_name}. ",
                self._used(account),
            ),
            _search(account, wanted),
            self._message_table(shown),
            _turn_pages(account, wanted, number, len(found)),
        )

    def message(self, call: Call) -> Answer:
        accepted, letter = self._find(call.parts[0])
        if accepted is None or letter is None:
            return plain("There is no such message here.", 404)
        return page(letter.subject or "(no subject)", *_letter(accepted, letter))

    def html(self, call: Call) -> Answer:
        accepted, letter = self._find(call.parts[0])
        if accepted is None or letter is None or letter.html is None:
            return plain("There is no such message here.", 404)
        body = letter.html.encode()
        return Answer(body, headers={"Content-Security-Policy": HTML_POLICY})

    def source(self, call: Call) -> Answer:
        """The message as filed, to download."""
        accepted, letter = self._find(call.parts[0])
        if accepted is None or letter is None:
            return plain("There is no such message here.", 404)
        return Answer(
            self._service.mailbox.source(accepted.id),
            content_type="message/rfc822",
            headers={"Content-Disposition": f'attachment; filename="{accepted.id}.eml"'},
        )

    def refused(self, call: Call) -> Answer:
        number = _page_number(call.query.get("page", "1"))
        rows = self._service.refused.rows[::-1]
        shown = rows[(number - 1) * A_PAGE : number * A_PAGE]
        older = len(rows) > number * A_PAGE
        return page(
            "Refused",
            tags.p(_count(len(rows), "refusal"), ", newest first."),
            _refused_table(shown),
            _pages_nav(
                f"/refused?page={number - 1}" if number > 1 else None,
                f"/refused?page={number + 1}" if older else None,
            ),
        )

    def _find(self, id: str) -> tuple[Accepted | None, Letter | None]:
        accepted = self._service.ledger.messages.get(id)
        if accepted is None:
            return None, None
        try:
            return accepted, self._service.mailbox.letter(id)
        except FileNotFoundError:
            return accepted, None

    def _messages_of(self, account: Account) -> list[Accepted]:
        every = list(self._service.ledger.messages.values())
        return [each for each in reversed(every) if each.account == account.email]

    def _used(self, account: Account) -> str:
        used, limit = self._service.used(account), self._service.limit
        return f"{used:,} of {limit:,} used in the last 24 hours."

    def _clock_note(self) -> Tag:
        now = _moment(self._service.clock.now())
        offset = self._service.clock.offset
        shifted = f", shifted by {offset:+,.0f} seconds" if offset else ""
        return tags.p("The practice clock says ", now, f"{shifted}.", class_="quiet")

    def _account_card(self, account: Account) -> Tag:
        count = _count(len(self._messages_of(account)), "message")
        used, limit = self._service.used(account), self._service.limit
        return tags.section(
            tags.h2(account.email),
            tags.p(tags.a(count, href=f"/sent?account={quote(account.email)}")),
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
            tags.td(_moment(accepted.at)),
        )


def _letter(accepted: Accepted, letter: Letter) -> list[Tag]:
    address = f"/message/{accepted.id}"
    parts = [
        tags.p(
            "To ",
            tags.strong(accepted.to),
            ", accepted ",
            _moment(accepted.at),
            ". ",
            tags.a(accepted.account, href=f"/sent?account={quote(accepted.account)}"),
        ),
    ]
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

    return _pages_nav(
        address(number - 1) if number > 1 else None,
        address(number + 1) if found > number * A_PAGE else None,
    )


def _pages_nav(newer: str | None, older: str | None) -> Tag:
    links = [
        tags.a("Newer", href=newer, rel="prev") if newer else "",
        tags.a("Older", href=older, rel="next") if older else "",
    ]
    return tags.nav(*links, **{"aria-label": "Pages"})


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
                    tags.td(_moment(row.at)),
                )
                for row in rows
            )
        ),
    )


def _moment(at: datetime) -> Tag:
    return tags.time(f"{at:%Y-%m-%d %H:%M:%S} UTC", datetime=at.isoformat())


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _page_number(text: str) -> int:
    return int(text) if re.fullmatch("[1-9][0-9]{0,6}", text) else 1
