"""Lists of contacts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from accounts.models import Workspace
from accounts.owned_admin import OwnedAdmin
from accounts.tenancy import visible, workspace_of
from campaigns.models import ContactList, ListMembership


class ContactListForm(forms.ModelForm):  # type: ignore[type-arg]
    workspace: Workspace

    class Meta:
        model = ContactList
        fields = ("name",)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        others = visible(ContactList.objects.all(), self.workspace).exclude(pk=self.instance.pk)
        if others.filter(name=name).exists():
            raise forms.ValidationError(_("There is already a list of this name. Choose another."))
        return name


@admin.register(ContactList)
class ContactListAdmin(OwnedAdmin):
    list_display = ("name", "people", "created_at")
    search_fields = ("name",)
    ordering = ("name",)
    empty_icon = "list_alt"
    empty_title = _("No lists yet")
    empty_text = _("A list is a group of contacts that you write to. An import makes one, too.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ContactList]:
        members = (
            ListMembership.objects.filter(contact_list=OuterRef("pk"))
            .values("contact_list")
            .annotate(count=Count("pk"))
            .values("count")
        )
        lists: QuerySet[ContactList] = super().get_queryset(request)
        return lists.annotate(member_count=Coalesce(Subquery(members), 0))

    def get_form(
        self, request: HttpRequest, obj: ContactList | None = None, change: bool = False, **kw: Any
    ) -> Any:
        form = type("Form", (ContactListForm,), {"workspace": workspace_of(request)})
        return super().get_form(request, obj, change, **{**kw, "form": form})

    @admin.display(description=_("contacts"), ordering="member_count")
    def people(self, contact_list: Any) -> str:
        url = reverse("admin:campaigns_contact_changelist")
        return format_html(
            '<a href="{}?list={}">{}</a>', url, contact_list.pk, f"{contact_list.member_count:,}"
        )
