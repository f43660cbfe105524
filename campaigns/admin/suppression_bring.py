"""Suppressions from another program: a file or pasted cells, counted first, then suppressed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Workspace
from accounts.pages_context import page_context
from accounts.tenancy import workspace_of
from campaigns.admin.import_forms import FileForm
from campaigns.contacts import bringing, intake, uploads
from campaigns.contacts.bringing import Brought
from campaigns.contacts.reasons import SENTENCES, CannotImport
from campaigns.reports import wording

PROBLEMS_SHOWN = 20
_SALT = "suppressions brought from elsewhere"


class BringForm(FileForm):
    """A file that another program exported, or cells of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["file"].help_text = gettext_lazy(
            "Drop it here or choose it. Only the column with the addresses counts, whatever else "
            "stands in the table."
        )
        self.fields["pasted"].label = gettext_lazy("Or paste addresses")
        self.fields["pasted"].help_text = gettext_lazy(
            "A line each, or cells of a spreadsheet with their headings."
        )


@dataclass(frozen=True)
class Kept:
    """A table between being looked at and being brought; the page carries it, sealed, along."""

    stored_as: str
    file_name: str

    def sealed(self) -> str:
        return signing.dumps([self.stored_as, self.file_name], salt=_SALT)

    @classmethod
    def opened(cls, text: str, workspace: Workspace) -> "Kept | None":
        """None for what is not a table of this workspace."""
        try:
            stored_as, file_name = signing.loads(text, salt=_SALT)
        except signing.BadSignature:
            return None
        mine = str(stored_as).startswith(bringing.belongs_to(workspace))
        return cls(stored_as, file_name) if mine else None


def bring(site: AdminSite, request: HttpRequest) -> HttpResponse:
    """GET the form; POST a table to see what is in it; POST `kept` to suppress what was seen."""
    if request.method == "POST" and "kept" in request.POST:
        return _bring(request)
    form = BringForm(request.POST, request.FILES) if request.method == "POST" else BringForm()
    shown: dict[str, Any] = {}
    if form.is_bound and form.is_valid():
        shown = _look(form, workspace_of(request))
    context = page_context(
        site,
        request,
        _("Bring suppressions from elsewhere"),
        crumbs=[(_("Suppressions"), reverse("admin:campaigns_suppression_changelist"))],
        form=form,
        **shown,
    )
    return TemplateResponse(request, "campaigns/suppressions/bring.html", context)


def _look(form: BringForm, workspace: Workspace) -> dict[str, Any]:
    """What the table holds, or, with the error in the form, nothing."""
    given = form.cleaned_data["file"]
    chunks: Iterable[bytes] = (
        given.chunks() if given is not None else [form.cleaned_data["pasted"].encode()]
    )
    name = intake.shown_name(given.name) if given is not None else _("Pasted cells")
    kept = Kept(bringing.store(workspace, chunks), name)
    try:
        found = bringing.look(workspace, kept.stored_as)
    except CannotImport as refused:
        uploads.remove(kept.stored_as)
        form.add_error("file" if given is not None else "pasted", str(refused))
        return {}
    if not found.new:
        uploads.remove(kept.stored_as)
    problems = [
        (one.line, SENTENCES[one.reason], one.value) for one in found.problems[:PROBLEMS_SHOWN]
    ]
    return {"found": found, "kept": kept, "problems": problems}


def _bring(request: HttpRequest) -> HttpResponse:
    workspace = workspace_of(request)
    kept = Kept.opened(request.POST["kept"], workspace)
    try:
        if kept is None:
            raise FileNotFoundError
        found = bringing.bring(workspace, kept.stored_as, kept.file_name)
    except FileNotFoundError:
        messages.error(request, _("The file is no longer there. Choose it again."))
        return redirect("admin:campaigns_suppression_bring")
    uploads.remove(kept.stored_as)
    messages.success(request, _done(found))
    return redirect("admin:campaigns_suppression_changelist")


def _done(found: Brought) -> str:
    sentences = [
        ngettext(
            "%(count)s address gets nothing any more.",
            "%(count)s addresses get nothing any more.",
            found.new,
        )
        % {"count": wording.number(found.new)}
    ]
    for count, one, many in (
        (found.known, "%(count)s was here already.", "%(count)s were here already."),
        (found.bad, "%(count)s row was left out.", "%(count)s rows were left out."),
    ):
        if count:
            sentences.append(ngettext(one, many, count) % {"count": wording.number(count)})
    return " ".join(sentences)
