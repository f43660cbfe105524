"""manage.py launch_campaign: the wizard's way from a template file to a running campaign."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from accounts.management.base import WorkspaceCommand
from accounts.models import GmailAccount, Workspace
from accounts.tenancy import visible
from campaigns import launch
from campaigns.models import Campaign, ContactList, Template
from campaigns.models.campaign import EVERY_DAY, WEEKDAYS
from campaigns.rendering.sanitize import sanitize


class Command(WorkspaceCommand):
    help = "Make a campaign from a template file and launch it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--template", required=True, type=Path, metavar="FILE.html")
        parser.add_argument("--subject", required=True, metavar="S")
        parser.add_argument("--list", required=True, metavar="NAME")
        parser.add_argument("--account", required=True, nargs="+", action="extend", metavar="EMAIL")
        parser.add_argument("--start", type=_moment, metavar="ISO")
        parser.add_argument("--days", type=_days, default=EVERY_DAY, metavar="mon,tue")
        parser.add_argument("--hours", type=_hours, default=(None, None), metavar="09:00-17:00")
        parser.add_argument(
            "--pace", choices=Campaign.Pace.values, default=Campaign.Pace.SPREAD.value
        )

    def handle(self, *args: Any, **options: Any) -> None:
        workspace = self.find_workspace(options)
        accounts = [self.find_account(workspace, address) for address in options["account"]]
        contact_list = visible(ContactList.objects.filter(name=options["list"]), workspace).first()
        if contact_list is None:
            raise CommandError(f'There is no list "{options["list"]}". Import contacts into it.')
        html = _read(options["template"])
        try:
            # One transaction: a campaign that cannot be launched leaves nothing behind.
            with transaction.atomic():
                campaign = self._draft(workspace, accounts, contact_list, html, options)
                count = launch.launch(campaign.pk, timezone.now())
        except launch.NotReady as error:
            raise CommandError(str(error)) from error
        document = {"campaign": campaign.pk, "recipients": count}
        self.answer(options, document, f"Campaign {campaign.pk} sends to {count} recipients.")

    def _draft(
        self,
        workspace: Workspace,
        accounts: list[GmailAccount],
        contact_list: ContactList,
        html: str,
        options: dict[str, Any],
    ) -> Campaign:
        template, _ = Template.objects.update_or_create(
            workspace=workspace,
            name=options["template"].stem,
            defaults={"subject": options["subject"], "html": sanitize(html).html},
        )
        hours_from, hours_to = options["hours"]
        campaign = Campaign.objects.create(
            workspace=workspace,
            name=options["subject"],
            template=template,
            start_at=_in_zone(options["start"], accounts[0]),
            days=options["days"],
            hours_from=hours_from,
            hours_to=hours_to,
            pace=options["pace"],
        )
        campaign.lists.add(contact_list)
        campaign.accounts.add(*accounts)
        return campaign


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is not UTF-8 text. Save it as UTF-8.") from error


def _in_zone(start: datetime | None, account: GmailAccount) -> datetime | None:
    """A start without zone is in the account's zone."""
    if start is None or start.tzinfo is not None:
        return start
    return start.replace(tzinfo=ZoneInfo(account.time_zone))


def _moment(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ArgumentTypeError("give the start like 2026-11-30T09:00") from error


def _days(value: str) -> str:
    days = [day.strip().lower() for day in value.split(",")]
    if not days or any(day not in WEEKDAYS for day in days):
        raise ArgumentTypeError(f"give days like mon,tue; there are {', '.join(WEEKDAYS)}")
    return ",".join(day for day in WEEKDAYS if day in days)


def _hours(value: str) -> tuple[time, time | None]:
    try:
        start, end = (part.strip() for part in value.split("-"))
        # 24:00 is how people write the end of the day.
        return time.fromisoformat(start), None if end in ("24:00", "00:00") else time.fromisoformat(
            end
        )
    except ValueError as error:
        raise ArgumentTypeError("give the hours like 09:00-17:00") from error
