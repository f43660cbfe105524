"""The menu: what is sent, to whom, and the workspace itself."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    def item(title: Any, icon: str, name: str) -> dict[str, Any]:
        return {"title": title, "icon": icon, "link": reverse_lazy(name)}

    return [
        {
            "items": [
                item(_("Dashboard"), "space_dashboard", "admin:index"),
                item(_("Campaigns"), "campaign", "admin:campaigns_campaign_changelist"),
                item(_("Messages"), "mail", "admin:campaigns_message_changelist"),
                item(_("What came back"), "inbox", "admin:campaigns_inboundmail_changelist"),
                item(_("Report"), "bar_chart", "admin:report"),
                item(_("Templates"), "draft", "admin:campaigns_template_changelist"),
            ]
        },
        {
            "items": [
                item(_("Contacts"), "group", "admin:campaigns_contact_changelist"),
                item(_("Lists"), "list_alt", "admin:campaigns_contactlist_changelist"),
                item(_("Imports"), "upload_file", "admin:campaigns_contactimport_changelist"),
                item(_("Suppressions"), "block", "admin:campaigns_suppression_changelist"),
            ]
        },
        {
            "items": [
                item(
                    _("Gmail accounts"), "alternate_email", "admin:accounts_gmailaccount_changelist"
                ),
                item(_("Settings"), "settings", "admin:settings"),
                item(_("People"), "badge", "admin:people"),
            ]
        },
    ]
