"""Daypost as a person without a browser uses it: by its commands, in this process."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from accounts.models import GmailAccount
from campaigns.models import Campaign
from tests.journeys.virtual_clock import VirtualClock

TEMPLATE = """
<h1>Autumn at the shop</h1>
<p>Dear {{ first_name | default: "friend" }},</p>
<p>The <a href="https://example.org/autumn">autumn things</a> are here.</p>
"""


def run(command: str, *arguments: object) -> Any:
    """Run `manage.py COMMAND ... --json` and return what it answers."""
    out = io.StringIO()
    call_command(command, *[str(argument) for argument in arguments], "--json", stdout=out)
    return json.loads(out.getvalue())


def make_owner(folder: Path) -> None:
    password = folder / "password"
    password.write_text("a long enough passphrase\n")
    run("create_owner", "owner@example.org", "--password-file", password, "--workspace", "Shop",
        "--postal-address", "1 High Street, Tregaron")  # fmt: skip


def connect(folder: Path, address: str, app_password: str, *more: object) -> GmailAccount:
    secret = folder / "app-password"
    secret.write_text(app_password + "\n")
    assert run("connect_gmail", address, "--app-password-file", secret, *more)["state"] == "ready"
    account = GmailAccount.objects.get(address=address)
    account.time_zone = "UTC"
    account.save(update_fields=["time_zone"])
    return account


def import_people(folder: Path, name: str, count: int) -> list[str]:
    """A list `name` with `count` people; returns their addresses."""
    addresses = [f"{name}{number}@example.org" for number in range(count)]
    file = folder / f"{name}.csv"
    rows = [f"{address},Person {number}" for number, address in enumerate(addresses)]
    file.write_text("\n".join(["Email,First name", *rows]) + "\n")
    report = run("import_contacts", file, "--list", name, "--consent", "Asked at the counter")
    assert report["imported"] == count
    return addresses


def launch(folder: Path, name: str, *accounts: str, options: tuple[object, ...] = ()) -> int:
    template = folder / f"{name}.html"
    template.write_text(TEMPLATE)
    report = run("launch_campaign", "--template", template, "--subject", f"News for {name}",
                 "--list", name, "--account", *accounts, *options)  # fmt: skip
    return int(report["campaign"])


def send_until_done(clock: VirtualClock, *campaigns: int, days: int = 12) -> None:
    """Do what the periodic task does, and go ahead to the next moment at which anything leaves."""
    give_up = timezone.now() + timedelta(days=days)
    while timezone.now() < give_up:
        run("deliver", "--once")
        reports = [run("campaign", campaign) for campaign in campaigns]
        if all(report["state"] == Campaign.State.FINISHED for report in reports):
            return
        moments = [datetime.fromisoformat(one["next_at"]) for one in reports if one["next_at"]]
        assert moments, f"Nothing leaves any more: {reports}"
        clock.wait_until(min(moments))
    raise AssertionError(f"Not done after {days} days: {reports}")


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
