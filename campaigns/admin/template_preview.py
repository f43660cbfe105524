"""A template as somebody would receive it, also before it is saved.

The message is a document of its own, under a policy of its own, for a frame without scripts and
without our origin. What was typed reaches it as a form that is posted into the frame: nothing is
stored, and no address holds it.
"""

from collections.abc import Mapping
from typing import Any

from csp.decorators import csp
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from accounts.models import Workspace
from accounts.tenancy import visible_or_404, workspace_of
from campaigns.admin import template_remarks
from campaigns.admin.template_person import Person, person_for, suggestions
from campaigns.admin.template_place import with_anchor, with_sign
from campaigns.content import with_footer
from campaigns.models import Template
from campaigns.rendering import merge, text
from campaigns.rendering.letter import Letter, rendered
from campaigns.rendering.preview import PREVIEW_CSP, preview_document
from campaigns.rendering.sanitize import MarkupError, sanitize
from campaigns.starters import starter


def letter_of(source: str, values: Mapping[str, object]) -> Letter:
    """What launch would make of this source for one person. Raises MergeError, MarkupError.

    Without a subject, which is a field of its own: one may be wrong and the other right.
    """
    content = with_footer(sanitize(source).html)
    return rendered("", content, text.plain_text(content), values)


# For the views that answer with a message itself. (The library's types know no view that takes
# arguments.)
framed: Any = csp(PREVIEW_CSP)


def typed(request: HttpRequest) -> HttpResponse:
    """What the form holds, kept or not."""
    person = person_for(workspace_of(request), request.POST.get("contact", ""))
    # While one types, what cannot be read is explained beside the frame. Without script nobody
    # explains, and the form says so (`alone`).
    explain = "alone" in request.POST
    source = with_sign(one_line_end(request.POST.get("html", "")), request.POST.get("cursor", ""))
    return _document(source, person, explain=explain)


def kept(request: HttpRequest, pk: int) -> HttpResponse:
    template = visible_or_404(Template.objects.all(), request, pk)
    return _document(template.html, person_for(workspace_of(request), ""))


def start(request: HttpRequest, slug: str) -> HttpResponse:
    chosen = starter(slug)
    if chosen is None:
        raise Http404
    return _document(chosen.html, person_for(workspace_of(request), ""))


def _document(source: str, person: Person, *, explain: bool = True) -> HttpResponse:
    """The message as a document, or why it cannot be read.

    Without explaining, the answer has no content (204), and the frame keeps what it shows.
    """
    try:
        html = with_anchor(letter_of(source, person.values).html)
    except (merge.MergeError, MarkupError) as error:
        if not explain:
            return HttpResponse(status=204)
        html = f"<p>{template_remarks.with_code(error.sentence)}</p>"
    response = HttpResponse(preview_document(html))
    response["Referrer-Policy"] = "no-referrer"
    return response


def people(request: HttpRequest) -> HttpResponse:
    """Contacts to choose from, for what was typed."""
    found = suggestions(workspace_of(request), request.GET.get("contact", ""))
    return render(request, "campaigns/templates/people.html", {"people": found})


def remarks(request: HttpRequest) -> HttpResponse:
    """Everything around the frame, for what was typed: remarks, person, subject, plain text."""
    context = look_at(
        workspace_of(request),
        subject=request.POST.get("subject", ""),
        source=one_line_end(request.POST.get("html", "")),
        person=request.POST.get("contact", ""),
    )
    return render(request, "campaigns/templates/remarks.html", {**context, "swap": True})


def look_at(
    workspace: Workspace, *, subject: str, source: str, person: str = ""
) -> dict[str, object]:
    """What the editor says about a template, for `remarks.html`."""
    who = person_for(workspace, person)
    shown_text = ""
    readable = True
    try:
        shown_subject = merge.render_subject(subject, who.values)
    except merge.MergeError:
        shown_subject = subject
    try:
        shown_text = letter_of(source, who.values).text if source.strip() else ""
    except (merge.MergeError, MarkupError):
        readable = False
    on_subject = template_remarks.on_subject(subject, workspace)
    on_message = template_remarks.on_message(source, workspace)
    return {
        "person": who,
        "shown_subject": shown_subject,
        "shown_text": shown_text,
        "readable": readable,
        "subject_remarks": on_subject,
        "message_remarks": on_message,
        "remark_count": len(on_subject) + len(on_message),
    }


def one_line_end(typed: str) -> str:
    """Browsers send CR LF (WHATWG HTML 4.10.21); a line is counted the same either way."""
    return typed.replace("\r\n", "\n").replace("\r", "\n")
