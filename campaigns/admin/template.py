"""Templates: the list, the editor, copying and deleting."""

import itertools
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Workspace
from accounts.owned_admin import OwnedAdmin
from accounts.pages_context import page_context
from accounts.tenancy import visible, visible_or_404, workspace_of
from campaigns.admin import template_preview as preview
from campaigns.admin.template_fields import offers
from campaigns.admin.template_form import TemplateForm
from campaigns.admin.template_person import suggestions
from campaigns.models import Campaign, Template
from campaigns.starters import STARTERS, starter

BLANK = "blank"
MAX_NAME = Template._meta.get_field("name").max_length or 0


@admin.register(Template)
class TemplateAdmin(OwnedAdmin):
    form = TemplateForm
    list_display = ("name", "subject", "changed", "used_by", "row_buttons")
    search_fields = ("name", "subject")
    search_help_text = _("Name or subject")
    actions = ("delete_selected",)
    change_list_template = "campaigns/templates/list.html"
    add_form_template = change_form_template = "campaigns/templates/editor.html"
    delete_confirmation_template = "campaigns/templates/delete.html"
    delete_selected_confirmation_template = "campaigns/templates/delete_several.html"
    # Said here, because the count below takes away the order of the model.
    ordering = ("-updated_at",)
    empty_icon = "draft"
    empty_title = _("No templates yet")
    empty_text = _("A template is the subject and the message, with places for names.")
    empty_link = (_("New template"), "admin:campaigns_template_add")

    class Media:
        css: ClassVar = {"all": ["daypost/templates.css"]}

    # --- The list ----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Template]:
        templates: QuerySet[Template] = super().get_queryset(request)
        return templates.annotate(campaign_count=Count("campaigns"))

    @admin.display(description=_("changed"), ordering="updated_at")
    def changed(self, template: Template) -> Any:
        return template.updated_at

    @admin.display(description=_("used by"), ordering="campaign_count")
    def used_by(self, template: Template) -> SafeString | str:
        count: int = template.campaign_count  # type: ignore[attr-defined]
        if not count:
            return gettext("no campaign")
        sentence = ngettext("%(count)s campaign", "%(count)s campaigns", count)
        return format_html(
            '<a href="{}?template__id__exact={}">{}</a>',
            reverse("admin:campaigns_campaign_changelist"),
            template.pk,
            sentence % {"count": f"{count:,}"},
        )

    @admin.display(description="")
    def row_buttons(self, template: Template) -> SafeString:
        # The list is a form already: its buttons only say where to.
        return format_html(
            '<div class="tpl-row-buttons">'
            '<button class="dp-button dp-small" type="submit" formmethod="post" formaction="{}">{}'
            '<span class="dp-hidden"> {}</span></button>'
            '<a class="dp-button dp-button-quiet dp-small" href="{}">{}'
            '<span class="dp-hidden"> {}</span></a></div>',
            reverse("admin:campaigns_template_copy", args=[template.pk]),
            gettext("Copy"),
            template.name,
            reverse("admin:campaigns_template_delete", args=[template.pk]),
            gettext("Delete"),
            template.name,
        )

    # --- The editor --------------------------------------------------------------------------

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """First what to start from, then the editor with it."""
        start = request.GET.get("start", "")
        if request.method == "POST" or start == BLANK or starter(start):
            editor: HttpResponse = super().add_view(
                request, form_url, {"title": gettext("New template")}
            )
            return editor
        context = page_context(
            self.admin_site,
            request,
            gettext("New template"),
            crumbs=[(gettext("Templates"), reverse("admin:campaigns_template_changelist"))],
            starters=STARTERS,
            blank=BLANK,
        )
        return TemplateResponse(request, "campaigns/templates/start.html", context)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        chosen = starter(request.GET.get("start", ""))
        if chosen is None:
            return {}
        name = self._free_name(workspace_of(request), str(chosen.name), "", " %d")
        return {"name": name, "subject": chosen.subject, "html": chosen.html}

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[TemplateForm]:
        # A class of its own for every request.
        form: type[TemplateForm] = super().get_form(request, obj, change, **kwargs)
        form.workspace = workspace_of(request)
        return form

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        form: TemplateForm = context["adminform"].form
        workspace = workspace_of(request)
        looked_at = preview.look_at(
            workspace,
            subject=form["subject"].value() or "",
            source=preview.one_line_end(form["html"].value() or ""),
            person=request.POST.get("contact", ""),
        )
        context.update(
            looked_at,
            form=form,
            offers=offers(workspace),
            people=suggestions(workspace, ""),
            preview_url=self._kept_preview(request, context.get("original")),
        )
        editor: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return editor

    def _kept_preview(self, request: HttpRequest, template: Template | None) -> str:
        """Where the frame finds what the form holds; empty when that was only typed."""
        if request.method == "POST":
            return ""
        if template is not None:
            return reverse("admin:campaigns_template_kept_preview", args=[template.pk])
        start = request.GET.get("start", "")
        return reverse("admin:campaigns_template_starter", args=[start]) if starter(start) else ""

    def response_add(
        self, request: HttpRequest, obj: Template, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._saved(request, obj)

    def response_change(self, request: HttpRequest, obj: Template) -> HttpResponse:
        return self._saved(request, obj)

    def save_model(
        self, request: HttpRequest, obj: Template, form: TemplateForm, change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        messages.success(request, gettext("Saved."))
        if form.removed:
            sentence = gettext("Removed, as a mail must not hold it: %(removed)s.")
            messages.warning(request, sentence % {"removed": ", ".join(form.removed)})

    def _saved(self, request: HttpRequest, template: Template) -> HttpResponse:
        """Back into the editor, which now shows what is kept."""
        return redirect("admin:campaigns_template_change", template.pk)

    # --- Copying and deleting ----------------------------------------------------------------

    def copy(self, request: HttpRequest, pk: int) -> HttpResponse:
        original = visible_or_404(Template.objects.all(), request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        copy = Template.objects.create(
            workspace=original.workspace,
            name=self._free_name(
                original.workspace, original.name, gettext(" (copy)"), gettext(" (copy %d)")
            ),
            subject=original.subject,
            html=original.html,
        )
        messages.success(request, gettext("This is the copy. Give it a name of its own."))
        return redirect("admin:campaigns_template_change", copy.pk)

    def _free_name(self, workspace: Workspace, name: str, first: str, further: str) -> str:
        """`name` with the first ending that no other template has: " (copy)", " (copy 2)"..."""
        taken = set(visible(Template.objects.all(), workspace).values_list("name", flat=True))
        endings = itertools.chain([first], (further % number for number in itertools.count(2)))
        names = (name[: MAX_NAME - len(ending)] + ending for ending in endings)
        return next(free for free in names if free not in taken)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        template = visible_or_404(Template.objects.all(), request, object_id)
        drafts = self._drafts(request, [template.pk])
        answer: HttpResponse = super().delete_view(request, object_id, {"drafts": drafts})
        return answer

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        messages.success(request, gettext("Deleted: %(name)s.") % {"name": obj_display})
        return redirect("admin:campaigns_template_changelist")

    @admin.action(description=_("Delete"), permissions=["delete"])
    def delete_selected(
        self, request: HttpRequest, chosen: QuerySet[Template]
    ) -> HttpResponse | None:
        response = delete_selected(self, request, chosen)
        if isinstance(response, TemplateResponse):
            pks = list(chosen.values_list("pk", flat=True))
            response.context_data = {
                **(response.context_data or {}),
                "drafts": self._drafts(request, pks),
            }
        return response

    def _drafts(self, request: HttpRequest, pks: list[int]) -> QuerySet[Campaign]:
        """The campaigns that would be left without a template; launched ones keep their content."""
        drafts = Campaign.objects.filter(state=Campaign.State.DRAFT, template__in=pks)
        return visible(drafts, workspace_of(request)).select_related("template")

    # --- Addresses ---------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        def ours(route: str, view: Any, name: str) -> URLPattern:
            wrapped = self.admin_site.admin_view(view)
            url: URLPattern = path(route, wrapped, name=f"campaigns_template_{name}")
            return url

        return [
            ours("preview/", preview.framed(require_POST(preview.typed)), "preview"),
            ours("<int:pk>/preview/", preview.framed(preview.kept), "kept_preview"),
            ours("starters/<slug:slug>/", preview.framed(require_safe(preview.start)), "starter"),
            ours("remarks/", require_POST(preview.remarks), "remarks"),
            ours("people/", require_safe(preview.people), "people"),
            ours("<int:pk>/copy/", self.copy, "copy"),
            *super().get_urls(),
        ]
