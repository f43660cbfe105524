"""The wizard "Import contacts": a file, how it is read, and what became of it."""

from collections.abc import Iterable
from itertools import islice
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    QueryDict,
)
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404, workspace_of
from campaigns.admin.import_forms import (
    COLUMNS_ASKED,
    ColumnsForm,
    FileForm,
    ReadingForm,
    TargetForm,
)
from campaigns.contacts import importer, intake, uploads
from campaigns.contacts.aliases import EMAIL
from campaigns.contacts.checking import check
from campaigns.contacts.dialect import Dialect, Guess
from campaigns.contacts.reasons import SENTENCES, CannotImport, NotATable
from campaigns.models import ContactImport

State = ContactImport.State

OVER = (State.FINISHED, State.FAILED, State.CANCELLED)

BADGES = {
    State.UPLOADED: "dp-info",
    State.WAITING: "dp-info",
    State.RUNNING: "dp-accent",
    State.FINISHED: "dp-good",
    State.FAILED: "dp-danger",
}

ROWS_SHOWN = 3
PROBLEMS_SHOWN = 20
CHECK_SECONDS = 2.0
"""How long a page may look through a file; a larger one is counted in part, and it says so."""

STOP_ASKING = 286
"""The status at which HTMX asks no more."""


def upload(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """The first step: GET the form, POST a file or cells."""
    posted = request.method == "POST"
    form = FileForm(request.POST, request.FILES) if posted else FileForm()
    if posted and form.is_valid():
        given = form.cleaned_data["file"]
        name = given.name if given is not None else _("Pasted cells")
        chunks = given.chunks() if given is not None else [form.cleaned_data["pasted"].encode()]
        try:
            job = intake.receive(workspace_of(request), name, chunks, _person(request))
        except NotATable as refused:
            form.add_error("file" if given is not None else "pasted", str(refused))
        else:
            return redirect("admin:campaigns_contactimport_change", job.pk)
    context = page_context(site, request, _("Import contacts"), crumbs=_crumbs(), form=form)
    return TemplateResponse(request, "campaigns/imports/upload.html", context)


def show(site: AdminSite, request: HttpRequest, pk: str) -> HttpResponse:
    """An import as it stands: to be corrected, under way, or over."""
    job = visible_or_404(ContactImport.objects.all(), request, pk)
    if job.state == State.UPLOADED:
        return _correct(site, request, job)
    title = _("Import of %(file)s") % {"file": job.file_name}
    context = page_context(site, request, title, crumbs=_crumbs(), **_standing(job))
    return TemplateResponse(request, "campaigns/imports/show.html", context)


def progress(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """How far an import has come: the part of its page that is fetched again and again."""
    job = visible_or_404(ContactImport.objects.all(), request, pk)
    status = STOP_ASKING if job.state in OVER else 200
    return TemplateResponse(
        request, "campaigns/imports/progress.html", _standing(job), status=status
    )


def cancel(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    job = visible_or_404(ContactImport.objects.all(), request, pk)
    importer.cancel(job)
    return redirect("admin:campaigns_contactimport_change", job.pk)


def rejected(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponseBase:
    """The table of rejected rows, to be mended and imported again."""
    job = visible_or_404(ContactImport.objects.all(), request, pk)
    if job.state not in OVER or not job.problems_as:
        raise Http404
    try:
        file = uploads.path_of(job.problems_as).open("rb")
    except FileNotFoundError as err:
        raise Http404 from err
    stem = job.file_name.rpartition(".")[0] or job.file_name
    name = _("%(file)s, rejected rows.csv") % {"file": stem}
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv")


def _correct(site: AdminSite, request: HttpRequest, job: ContactImport) -> HttpResponse:
    """The second step: what was guessed, to be corrected. POST `import` starts it."""
    try:
        page = _Correction(job, request.POST if request.method == "POST" else None)
    except FileNotFoundError:
        importer.cancel(job)
        messages.error(request, _("The file is no longer there. Choose it again."))
        return redirect("admin:campaigns_contactimport_add")
    wanted = request.method == "POST" and "import" in request.POST
    target = TargetForm(workspace_of(request), request.POST if wanted else None)
    if wanted and target.is_valid() and not page.refused:
        return _start(request, job, target)
    context = page_context(
        site,
        request,
        _("Import %(file)s") % {"file": job.file_name},
        crumbs=_crumbs(),
        job=job,
        page=page,
        target=target,
        **_foreseen(job, page),
    )
    return TemplateResponse(request, "campaigns/imports/correct.html", context)


def _start(request: HttpRequest, job: ContactImport, target: TargetForm) -> HttpResponse:
    values = target.cleaned_data
    contact_list = intake.list_named(workspace_of(request), values["list_name"])
    if intake.start(job, contact_list, values["consent"]):
        importer.wake(job.pk)
    return redirect("admin:campaigns_contactimport_change", job.pk)


class _Correction:
    """What the second step shows: the guess, corrected by what was chosen, or why it was not."""

    def __init__(self, job: ContactImport, data: QueryDict | None) -> None:
        before = importer.dialect_of(job)
        self.refused = ""
        self.guess = _look(job, before, columns=before.columns)
        self.reading = ReadingForm(self.guess, data)
        self.meanings = ColumnsForm(self.guess.columns, data)
        if data is not None:
            self._choose(job, data)
        if not self.refused and EMAIL not in self.guess.columns.values():
            self.refused = _("No column holds e-mail addresses yet. Say below which one does.")

    @property
    def rows(self) -> list[tuple[forms.BoundField, list[str]]]:
        """Each column: its name and meaning, and what stands in it in the first rows."""
        shown = self.guess.sample[:ROWS_SHOWN]
        return [
            (field, [row[at] if at < len(row) else "" for row in shown])
            for at, field in enumerate(self.meanings)
        ]

    @property
    def columns_not_shown(self) -> int:
        return max(0, len(self.guess.columns) - COLUMNS_ASKED)

    def _choose(self, job: ContactImport, data: QueryDict) -> None:
        if not self.reading.is_valid() or not self.meanings.is_valid():
            self.refused = _("Something was not chosen rightly. See below.")
            return
        # Other columns come out of another reading: what was chosen for the old ones is void.
        anew = self.reading.has_changed()
        try:
            guess = _look(
                job,
                Dialect(**self.reading.cleaned_data, columns={}),
                columns=None if anew else self.guess.columns | self.meanings.chosen(),
            )
        except CannotImport as refused:
            self.refused = str(refused)
            return
        intake.choose(job, guess)
        self.guess, self.reading = guess, ReadingForm(guess)
        self.meanings = ColumnsForm(guess.columns)
        if anew and "import" in data:
            self.refused = _("The file reads differently now. Look at it, then import.")


def _look(job: ContactImport, dialect: Dialect, columns: dict[str, str] | None) -> Guess:
    return intake.look(
        job,
        encoding=dialect.encoding,
        delimiter=dialect.delimiter,
        header_line=dialect.header_line,
        columns=columns,
    )


def _foreseen(job: ContactImport, page: _Correction) -> dict[str, Any]:
    """What the import would do, if the file can be read at all."""
    if page.refused:
        return {}
    with uploads.path_of(job.stored_as).open("rb") as file:
        found = check(file, page.guess, job.workspace, seconds=CHECK_SECONDS)
    return {
        "found": found,
        "good": found.tally.rows - found.tally.duplicates - found.tally.invalid,
        "reasons": _in_words(found.reasons),
        "problems": _listed(
            (problem.line, problem.reason, problem.value) for problem in found.problems
        ),
    }


def _standing(job: ContactImport) -> dict[str, Any]:
    share = job.bytes_read * 100 // job.bytes_total if job.bytes_total else 100
    return {
        "job": job,
        "over": job.state in OVER,
        "percent": min(share, 100),
        "badge": BADGES.get(State(job.state), ""),
        "problems": _listed(
            (problem["line"], problem["reason"], problem["value"]) for problem in job.problems
        ),
    }


def _listed(problems: Iterable[tuple[int, str, str]]) -> list[tuple[int, Any, str]]:
    """The first problems, with the reason as a sentence."""
    first = islice(problems, PROBLEMS_SHOWN)
    return [(line, SENTENCES[reason], value) for line, reason, value in first]


def _in_words(reasons: dict[str, int]) -> list[tuple[Any, int]]:
    return [(SENTENCES[reason], count) for reason, count in reasons.items()]


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _crumbs() -> list[tuple[str, str]]:
    return [(_("Imports"), reverse("admin:campaigns_contactimport_changelist"))]
