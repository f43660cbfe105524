"""The forms of the campaign wizard. Each offers only what belongs to the campaign's workspace."""

from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.db.models import Count, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns import reachable
from campaigns.contacts import audience
from campaigns.models import Campaign, ContactList, Template
from campaigns.models.campaign import WEEKDAYS

DAY_NAMES = dict(
    zip(
        WEEKDAYS,
        (_("Mon"), _("Tue"), _("Wed"), _("Thu"), _("Fri"), _("Sat"), _("Sun")),
        strict=True,
    )
)


def lists_of(workspace: Workspace) -> QuerySet[ContactList]:
    """The workspace's lists, each with how many `people` are on it."""
    lists = visible(ContactList.objects.all(), workspace)
    return lists.annotate(people=Count("memberships")).order_by("name")


def accounts_of(workspace: Workspace) -> QuerySet[GmailAccount]:
    connected = visible(GmailAccount.objects.all(), workspace)
    return connected.exclude(state=GmailAccount.State.DISCONNECTED).order_by("id")


def zone_of(workspace: Workspace, accounts: list[GmailAccount]) -> ZoneInfo:
    """The zone that days and hours are shown in: that of the first account."""
    return ZoneInfo(accounts[0].time_zone if accounts else workspace.time_zone)


class AudienceForm(forms.ModelForm):  # type: ignore[type-arg]
    lists = forms.ModelMultipleChoiceField(
        label=_("Lists"),
        queryset=ContactList.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one list.")},
    )

    class Meta:
        model = Campaign
        fields = ["name", "lists"]
        help_texts = {"name": _("Only you see it.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["lists"].queryset = lists_of(self.instance.workspace)  # type: ignore[attr-defined]

    def clean_lists(self) -> QuerySet[ContactList]:
        lists: QuerySet[ContactList] = self.cleaned_data["lists"]
        people = audience.members(self.instance.workspace, lists)
        if not people.exists():
            raise forms.ValidationError(
                _("There is nobody on this list yet. Import contacts into it, or choose another.")
            )
        if not audience.reachable(people).exists():
            raise forms.ValidationError(
                _("Everybody on this list is suppressed, so nobody would get this.")
            )
        return lists


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    template = forms.ModelChoiceField(
        label=_("Template"),
        queryset=Template.objects.none(),
        widget=forms.RadioSelect,
        empty_label=None,
        error_messages={"required": _("Choose a template.")},
    )

    class Meta:
        model = Campaign
        fields = ["template"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        templates = visible(Template.objects.all(), self.instance.workspace)
        self.fields["template"].queryset = templates  # type: ignore[attr-defined]


class WhenForm(forms.Form):
    """From which accounts, and when. Moments typed here are in the zone of the first account."""

    AT_ONCE, LATER = "now", "later"

    accounts = forms.ModelMultipleChoiceField(
        label=_("Send from"),
        queryset=GmailAccount.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose a Gmail account to send from.")},
    )
    start = forms.ChoiceField(
        label=_("Start"),
        choices=[(AT_ONCE, _("At the launch")), (LATER, _("On a date"))],
        widget=forms.RadioSelect,
        initial=AT_ONCE,
    )
    start_date = forms.DateField(
        label=_("Date"), required=False, widget=forms.DateInput({"type": "date"}, "%Y-%m-%d")
    )
    start_time = forms.TimeField(
        label=_("Time"), required=False, widget=forms.TimeInput({"type": "time"}, "%H:%M")
    )
    days = forms.MultipleChoiceField(
        label=_("Weekdays"),
        choices=list(DAY_NAMES.items()),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": _("Choose at least one weekday.")},
    )
    hours_from = forms.TimeField(
        label=pgettext_lazy("hours", "From"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, "%H:%M"),
    )
    hours_to = forms.TimeField(
        label=pgettext_lazy("hours", "To"),
        required=False,
        widget=forms.TimeInput({"type": "time"}, "%H:%M"),
    )
    pace = forms.ChoiceField(
        label=_("Pace"),
        choices=Campaign.Pace.choices,
        widget=forms.RadioSelect,
        initial=Campaign.Pace.SPREAD,
    )
    track_opens = forms.BooleanField(label=_("Count opens"), required=False)
    track_clicks = forms.BooleanField(label=_("Count clicks"), required=False)

    def __init__(self, campaign: Campaign, now: datetime, data: Any = None) -> None:
        self.campaign, self.now = campaign, now
        super().__init__(data, initial=self._saved())
        offered: Any = self.fields["accounts"]
        offered.queryset = accounts_of(campaign.workspace)
        # A field that is disabled takes nothing from what is sent.
        self.can_count = reachable.is_reachable(now)
        for name in ("track_opens", "track_clicks"):
            self.fields[name].disabled = not self.can_count
            self.initial[name] = self.can_count and getattr(campaign, name)

    def _saved(self) -> dict[str, Any]:
        campaign = self.campaign
        offered = list(accounts_of(campaign.workspace))
        chosen = list(campaign.accounts.order_by("id"))
        # The only account is no choice to be made.
        accounts = chosen or (offered if len(offered) == 1 else [])
        start = campaign.start_at and campaign.start_at.astimezone(
            zone_of(campaign.workspace, accounts)
        )
        return {
            "accounts": accounts,
            "start": self.LATER if start else self.AT_ONCE,
            "start_date": start and start.date(),
            "start_time": start.time() if start else time(9),
            "days": campaign.days.split(","),
            "hours_from": campaign.hours_from,
            "hours_to": campaign.hours_to,
            "pace": campaign.pace,
        }

    def clean_hours_to(self) -> time | None:
        """Midnight as the end is no end within the day."""
        end: time | None = self.cleaned_data["hours_to"]
        return None if end == time.min else end

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        start, end = cleaned.get("hours_from"), cleaned.get("hours_to")
        if start and end and start >= end:
            self.add_error("hours_to", _("The hours must end later than they begin."))
        cleaned["start_at"] = None
        if cleaned.get("start") == self.LATER:
            cleaned["start_at"] = self._start_at(cleaned)
        return cleaned

    def _start_at(self, cleaned: dict[str, Any]) -> datetime | None:
        day, at = cleaned.get("start_date"), cleaned.get("start_time")
        if day is None or at is None:
            if not {"start_date", "start_time"} & set(self.errors):
                self.add_error("start_date", _("Choose a date and a time."))
            return None
        zone = zone_of(self.campaign.workspace, list(cleaned.get("accounts", ())))
        start = datetime.combine(day, at, zone)
        if start <= self.now:
            self.add_error(
                "start_date",
                _("This moment has passed. Choose a later one, or start at the launch."),
            )
        return start

    def fill(self) -> Campaign:
        """Put what is in the valid form into the campaign, without saving it."""
        cleaned, campaign = self.cleaned_data, self.campaign
        campaign.start_at = cleaned["start_at"]
        campaign.days = ",".join(day for day in WEEKDAYS if day in cleaned["days"])
        campaign.hours_from = cleaned["hours_from"]
        campaign.hours_to = cleaned["hours_to"]
        campaign.pace = cleaned["pace"]
        campaign.track_opens = cleaned["track_opens"]
        campaign.track_clicks = cleaned["track_clicks"]
        return campaign

    def save(self) -> Campaign:
        campaign = self.fill()
        campaign.save(
            update_fields=["start_at", "days", "hours_from", "hours_to", "pace"]
            + ["track_opens", "track_clicks"]
        )
        campaign.accounts.set(self.cleaned_data["accounts"])
        return campaign
