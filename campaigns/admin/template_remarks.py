"""What there is to say about a template while it is written, each beside what it is about."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Workspace
from accounts.tenancy import visible
from campaigns.contacts import audience
from campaigns.content import known_fields
from campaigns.models import Contact
from campaigns.rendering import merge
from campaigns.rendering.fields import LINK_FIELDS, PUBLIC_FIELDS, WORKSPACE_FIELDS
from campaigns.rendering.links import LinkProblem, check_links
from campaigns.rendering.pieces import column_of, line_of
from campaigns.rendering.sanitize import MarkupError, sanitize

# Gmail shows a longer message cut, with a link to the rest.
GMAIL_CUTS_AT = 102_000  # octets

_HREF = r"""(?i:href)\s*=\s*["']?\s*"""


@dataclass(frozen=True, slots=True)
class Remark:
    """`level` is "danger" (cannot be used), "warn" (launch or some readers will trip) or "info".

    Line and column count from 1 and are None for the whole. `found` is the text in question, to be
    underlined, and `better` what a click puts in its place.
    """

    level: str
    sentence: SafeString
    line: int | None = None
    column: int | None = None
    found: str = ""
    better: str = ""

    @property
    def icon(self) -> str:
        return {"danger": "error", "warn": "warning"}.get(self.level, "info")

    @property
    def adds_a_fallback(self) -> bool:
        return self.better.startswith("{{")


def on_subject(source: str, workspace: Workspace) -> list[Remark]:
    known = known_fields(workspace)
    problems = merge.check(source, known)
    remarks = [_of_problem(problem) for problem in problems]
    if not any(problem.fatal for problem in problems):
        remarks += _on_gaps(source, workspace, known)
    return remarks


def on_message(source: str, workspace: Workspace) -> list[Remark]:
    known = known_fields(workspace)
    problems = merge.check(source, known)
    remarks = [_of_problem(problem) for problem in problems]
    if any(problem.fatal for problem in problems):
        return remarks
    remarks += _on_gaps(source, workspace, known)
    remarks += _on_markup(source)
    return remarks


def _of_problem(problem: merge.Problem) -> Remark:
    return Remark(
        "danger" if problem.fatal else "warn",
        with_code(problem.sentence),
        problem.line,
        problem.column,
        problem.name or "",
        problem.suggestion or "",
    )


def _on_gaps(source: str, workspace: Workspace, known: set[str]) -> list[Remark]:
    """Fields that come out empty, and have nothing to stand in for them."""
    remarks = []
    people = audience.reachable(visible(Contact.objects.all(), workspace))
    for field in merge.empty_fields(source, {}):
        if field in WORKSPACE_FIELDS:
            if not workspace.postal_address.strip():
                sentence = _("`postal_address` is empty. Write the address in Settings.")
                remarks.append(Remark("warn", with_code(sentence)))
        elif field in LINK_FIELDS:
            if field in PUBLIC_FIELDS and not settings.PUBLIC_URL:
                sentence = _(
                    "`%(field)s` is empty for everybody, as this Daypost has no public address. "
                    "Put `{%% if %(field)s %%}` and `{%% endif %%}` around the link."
                )
                remarks.append(Remark("warn", with_code(sentence % {"field": field})))
        elif field in known:
            count = audience.without_value(people, field).count()
            if count:
                remarks.append(_on_gap(source, field, count))
    return remarks


def _on_gap(source: str, field: str, count: int) -> Remark:
    sentence = ngettext(
        "`%(field)s` is empty for %(count)s contact.",
        "`%(field)s` is empty for %(count)s contacts.",
        count,
    ) % {"field": field, "count": f"{count:,}"}
    plain_use = re.search(r"\{\{\s*" + re.escape(field) + r"\s*\}\}", source)
    if plain_use is None:
        return Remark("warn", with_code(f"{sentence} " + _("Give it a fallback.")))
    with_fallback = f'{{{{ {field} | default: "…" }}}}'
    return _at(source, plain_use.start(), plain_use.group(), sentence, with_fallback)


def _at(source: str, start: int, found: str, sentence: str, better: str = "") -> Remark:
    line, column = line_of(source, start), column_of(source, start)
    return Remark("warn", with_code(sentence), line, column, found, better)


def _on_markup(source: str) -> list[Remark]:
    try:
        sanitized = sanitize(source)
        links = check_links(sanitized.html, rendered=False)
    except MarkupError as error:
        return [Remark("danger", with_code(error.sentence))]
    remarks = [_on_link(source, link) for link in links]
    if sanitized.removed:
        sentence = _("Will be left out, as a mail must not hold it: %(removed)s.")
        left_out = sentence % {"removed": ", ".join(sanitized.removed)}
        remarks.append(Remark("warn", format_html("{}", left_out)))
    size = len(sanitized.html.encode())
    if size > GMAIL_CUTS_AT:
        sentence = _("This is %(size)s kB long. Gmail shows only the first 102 kB of a message.")
        remarks.append(Remark("warn", with_code(sentence % {"size": f"{size / 1000:,.0f}"})))
    return remarks


def _on_link(source: str, problem: LinkProblem) -> Remark:
    url = problem.link.url
    sentence = problem.sentence
    if problem.link.text:
        sentence += " " + _("It stands behind “%(text)s”.") % {"text": problem.link.text}
    written = re.search(_HREF + f"({re.escape(url)})", source)
    if not url or written is None:
        return Remark("warn", with_code(sentence))
    return _at(source, written.start(1), url, sentence)


def with_code(sentence: str) -> SafeString:
    """The sentence as HTML, with what stands between backticks as code."""
    parts = (sentence[:1].upper() + sentence[1:]).split("`")
    return format_html_join(
        "",
        "{}",
        (
            (format_html("<code>{}</code>", part) if index % 2 else part,)
            for index, part in enumerate(parts)
        ),
    )
