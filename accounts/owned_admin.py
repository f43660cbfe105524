"""The base of every admin class: shows, offers and changes only what belongs to the workspace."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, NoReturn

from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import Field, ForeignKey, ManyToManyField, Model, QuerySet
from django.http import Http404, HttpRequest
from unfold.admin import ModelAdmin

from accounts.tenancy import current_workspace, visible, workspace_of, workspace_path


class OwnedAdmin(ModelAdmin):
    """An admin class for a model that belongs to a workspace.

    Permissions are membership: whoever belongs to the workspace may work in it. What a person may
    not see answers 404, exactly like what does not exist.
    """

    list_per_page = 50
    # No COUNT(*) of the whole table on every page.
    show_full_result_count = False
    # What the links of Daypost ask of this list, such as "state__exact", beside its `list_filter`.
    linked_lookups: tuple[str, ...] = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(super().get_queryset(request), workspace_of(request))

    def shown_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """What the list shows, with its search and filters; 404 where it has no such filter."""
        try:
            rows: QuerySet[Any] = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters as error:
            raise Http404 from error
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Only what a filter or a link asks; anything else is answered 400.

        Django would let a list be asked about every column of its model, and so read out, letter
        by letter, what no page shows: a sealed secret, or the link in a mail.
        """
        filters = [getattr(one, "parameter_name", one) for one in self.get_list_filter(request)]
        return lookup in (*self.linked_lookups, *filters)

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> list[str]:
        # Never chosen in a form: it is the workspace of the request.
        return [*(super().get_exclude(request, obj) or ()), "workspace"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change and workspace_path(type(obj)) == "workspace":
            obj.workspace = workspace_of(request)
        if change:
            obj.save(update_fields=_changed_columns(obj))
        else:
            super().save_model(request, obj, form, change)

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Any:
        found = super().get_object(request, object_id, from_field)
        if found is not None:
            found._as_read = _columns(found)
        return found

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: ManyToManyField[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        kwargs["queryset"] = self._choices(db_field, request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, db_field: Field[Any, Any], request: HttpRequest) -> QuerySet[Any]:
        model: type[Model] = db_field.remote_field.model  # type: ignore[union-attr]
        return visible(model._default_manager.all(), workspace_of(request))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return current_workspace(request) is not None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return current_workspace(request) is not None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return current_workspace(request) is not None

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return current_workspace(request) is not None

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return current_workspace(request) is not None

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> NoReturn:
        # Django would redirect to the start page with a message; nothing is there, so say that.
        raise Http404


def is_changed(row: Model, field: str) -> bool:
    """Whether this request's form changed it; `row` comes from `OwnedAdmin.get_object`."""
    before: dict[str, Any] = row._as_read  # type: ignore[attr-defined]
    return bool(before[field] != getattr(row, field))


def _changed_columns(row: Model) -> list[str]:
    """The fields that this request changed, and those that say when.

    Only they are written: what happened to the others since the row was read would be undone.
    """
    before: dict[str, Any] = row._as_read  # type: ignore[attr-defined]
    changed = [name for name, value in _columns(row).items() if value != before.get(name)]
    moments = [
        field.name for field in row._meta.concrete_fields if getattr(field, "auto_now", False)
    ]
    return [*changed, *moments] if changed else []


def _columns(row: Model) -> dict[str, Any]:
    """What was read of the row, by field name; a copy, since a form changes the row."""
    deferred = row.get_deferred_fields()
    return {
        field.name: deepcopy(field.value_from_object(row))
        for field in row._meta.concrete_fields
        if field.attname not in deferred
    }
