"""What a person may ask of whoever knows them: everything that is known, and to be forgotten."""

from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from accounts.pages_context import page_context
from accounts.tenancy import visible_or_404
from campaigns.contacts import erasing
from campaigns.contacts.disclosing import everything_known
from campaigns.models import Contact


class EraseForm(forms.Form):
    never_again = forms.BooleanField(
        label=gettext_lazy("And never write to them again"),
        required=False,
        initial=True,
        help_text=gettext_lazy(
            "Keeps a hash of the address, from which it cannot be read, so that nobody writes to "
            "it even after a new import."
        ),
    )


def urls(site: AdminSite) -> list[URLPattern]:
    everything = site.admin_view(require_safe(_everything))
    erase = site.admin_view(partial(_erase, site))
    return [
        path("<int:pk>/everything/", everything, name="campaigns_contact_everything"),
        path("<int:pk>/erase/", erase, name="campaigns_contact_erase"),
    ]


def _everything(request: HttpRequest, pk: int) -> HttpResponse:
    """All that is known of the person, as one file."""
    now = timezone.now()
    return JsonResponse(
        everything_known(_contact(request, pk), now),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": f'attachment; filename="contact-{pk}-{now:%Y-%m-%d}.json"'},
    )


def _erase(site: AdminSite, request: HttpRequest, pk: int) -> HttpResponse:
    """GET says what goes and what stays; POST does it."""
    contact = _contact(request, pk)
    if request.method == "POST":
        never_again = "never_again" in request.POST
        try:
            erasing.erase(contact, timezone.now(), never_again=never_again)
        except erasing.NotNow as error:
            messages.warning(request, _("Nothing was erased. %(why)s") % {"why": error})
            return redirect("admin:campaigns_contact_erase", pk)
        messages.success(request, _("The person was erased."))
        return redirect("admin:campaigns_contact_changelist")
    context = page_context(
        site,
        request,
        _("Erase this person?"),
        crumbs=_crumbs(contact),
        contact=contact,
        extent=erasing.extent(contact),
        form=EraseForm(),
    )
    return TemplateResponse(request, "campaigns/contacts/erase.html", context)


def _contact(request: HttpRequest, pk: int) -> Contact:
    return visible_or_404(Contact.objects.select_related("workspace"), request, pk)


def _crumbs(contact: Contact) -> list[Any]:
    return [
        (_("Contacts"), reverse("admin:campaigns_contact_changelist")),
        (contact.email, reverse("admin:campaigns_contact_change", args=[contact.pk])),
    ]
