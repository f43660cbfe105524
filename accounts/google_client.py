"""A workspace's own Google OAuth client: what was pasted is checked, tried at Google, and kept."""

import json
import re
from dataclasses import replace

from django.db import transaction
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_variables

from accounts import sealed
from accounts.connect import ConnectError
from accounts.models import OAuthClient, Workspace
from gmail import oauth
from gmail.endpoints import Endpoints
from gmail.errors import ClientRefused, Unreachable

_CLIENT_ID = re.compile(r"\d+-[0-9a-z]+\.apps\.googleusercontent\.com")
_ID_ENDS = ".apps.googleusercontent.com"
_SECRET_BEGINS = "GOCSPX-"  # noqa: S105  how Google's secrets begin, not one of them
# Older secrets have 24 characters and no such beginning.
_SHORTEST_SECRET = 20


@sensitive_variables()
def read_file(text: str) -> tuple[str, str] | None:
    """Client id and secret of the JSON file that Google offers; None for anything else."""
    try:
        document = json.loads(text)
        client = document.get("web") or document.get("installed")
        return str(client["client_id"]), str(client["client_secret"])
    except (ValueError, AttributeError, KeyError, TypeError):
        return None


def check_id(client_id: str) -> None:
    """Raises ConnectError for what cannot be a client id."""
    if _CLIENT_ID.fullmatch(client_id):
        return
    if client_id.startswith(_SECRET_BEGINS):
        sentence = _("This is the client secret. It belongs into the other field.")
    elif client_id.startswith("{"):
        sentence = _("This is not the whole file of a client. Paste the client id by itself.")
    elif "@" in client_id:
        sentence = _("This is an e-mail address. The client id is on Google's page of the client.")
    elif not client_id.endswith(_ID_ENDS):
        sentence = _(
            "A client id ends in .apps.googleusercontent.com. Use the copy button on Google's page."
        )
    else:
        sentence = _("A part of the client id is missing. Use the copy button on Google's page.")
    raise ConnectError(sentence, "client_id")


@sensitive_variables()
def check_secret(client_secret: str) -> None:
    """Raises ConnectError for what cannot be a client secret."""
    if client_secret.endswith(_ID_ENDS):
        sentence = _("This is the client id. It belongs into the other field.")
    elif any(character.isspace() for character in client_secret):
        sentence = _("The client secret has no spaces. Use the copy button on Google's page.")
    elif not client_secret.isascii() or len(client_secret) < _SHORTEST_SECRET:
        sentence = _(
            "This is too short for a client secret, which usually begins with GOCSPX-. Use the "
            "copy button on Google's page."
        )
    else:
        return
    raise ConnectError(sentence, "client_secret")


@sensitive_variables()
def keep_client(
    workspace: Workspace, client_id: str, client_secret: str, endpoints: Endpoints
) -> OAuthClient:
    """Ask Google whether it knows this client, and only then save. Raises ConnectError."""
    tried = replace(endpoints, client_id=client_id, client_secret=client_secret)
    try:
        oauth.check_client(tried)
    except ClientRefused as error:
        raise ConnectError(
            _(
                "Google does not know this client id with this secret: {reason}. Copy both again "
                "from Google's console; the secret is shown there only once, so make another one "
                "if it is lost."
            ).format(reason=str(error).rstrip(".")),
            "client_secret" if "secret" in str(error) else "client_id",
        ) from error
    except Unreachable as error:
        raise ConnectError(
            _("Google could not be asked whether they are right. {reason} Try again.").format(
                reason=error
            )
        ) from error
    with transaction.atomic():
        client, _created = OAuthClient.objects.update_or_create(
            workspace=workspace, defaults={"client_id": client_id}
        )
        client.sealed_secret = sealed.CLIENT_SECRET.seal(client, client_secret)
        client.save()
    return client
