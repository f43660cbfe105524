"""Taking an address out of every text of a workspace, whichever table it stands in.

What is meant to hold the address is erased by `erasing`. This finds the rest: Gmail's words in the
reason of a rest, a campaign that paused over a message, another person's field. It goes by the
columns of all models, so that one that is added later is swept as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.db.models import (
    CharField,
    EmailField,
    F,
    Field,
    JSONField,
    Model,
    QuerySet,
    SlugField,
    TextField,
    URLField,
)
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from accounts.models import GmailAccount, OAuthClient, User, Workspace
from accounts.tenancy import visible, workspace_path
from campaigns.contacts.traces import pattern_of
from campaigns.models import ContactField, ContactList, Revision, Template, TrackedLink

# What people of the workspace wrote for everybody to read, and who they are themselves.
LEFT: tuple[type[Model], ...] = (
    User,
    Workspace,
    OAuthClient,
    ContactField,
    ContactList,
    Template,
    Revision,
    TrackedLink,
)
LEFT_COLUMNS = {(GmailAccount, name) for name in ("address", "from_address", "reply_to")} | {
    (GmailAccount, "mailbox_key"),
    (GmailAccount, "display_name"),
}


def sweep(workspace: Workspace, email_key: str) -> int:
    """Replace the address wherever it still stands; returns in how many columns of rows."""
    pattern = pattern_of(email_key)
    return sum(_replace(rows, field, pattern, email_key) for rows, field in text_columns(workspace))


def text_columns(workspace: Workspace) -> Iterator[tuple[QuerySet[Any], Field[Any, Any]]]:
    """Every column that may hold an address that nobody wrote for all to read."""
    for model in apps.get_models(include_auto_created=True):
        if model in LEFT or model._meta.app_label not in ("accounts", "campaigns"):
            continue
        try:
            workspace_path(model)
        except TypeError:
            continue  # of the instance, or only ids
        for field in model._meta.concrete_fields:
            if _may_hold_text(field) and (model, field.name) not in LEFT_COLUMNS:
                yield visible(model._default_manager.all(), workspace), field
    # Django notes here what was changed in the admin's forms, by name.
    for name in ("object_repr", "change_message"):
        yield LogEntry.objects.all(), LogEntry._meta.get_field(name)  # type: ignore[misc]


def _may_hold_text(field: Field[Any, Any]) -> bool:
    if isinstance(field, JSONField):
        return True
    is_text = isinstance(field, CharField | TextField | EmailField | SlugField | URLField)
    # What can hold only the words of a list, or a digest.
    return is_text and not field.choices and not field.primary_key


def _replace(
    rows: QuerySet[Any], field: Field[Any, Any], pattern: re.Pattern[str], email_key: str
) -> int:
    name = field.name
    text = Cast(F(name), TextField()) if isinstance(field, JSONField) else F(name)
    found = rows.annotate(swept=text).filter(swept__icontains=email_key).values_list("pk", name)
    count = 0
    for pk, value in list(found):
        new = _without(value, pattern, field.max_length)
        if new != value:
            count += rows.model._default_manager.filter(pk=pk).update(**{name: new})
    return count


def _without(value: Any, pattern: re.Pattern[str], longest: int | None) -> Any:
    if isinstance(value, str):
        return pattern.sub(_("(erased)"), value)[:longest]
    return json.loads(pattern.sub(_("(erased)"), json.dumps(value, ensure_ascii=False)))
