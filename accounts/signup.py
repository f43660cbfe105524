"""The journey of a new owner: a person, a workspace and the ownership, all of it or nothing.

The first person owns the instance. After that sign-up is closed unless `SIGNUP_OPEN`; then each
new person founds a workspace of their own.
"""

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, User, Workspace


class SignupError(Exception):
    """Signing up is not possible; the text says why, for the person."""


class SignupClosed(SignupError):
    """Somebody already owns this instance."""


class EmailTaken(SignupError):
    """A person with this address has an account."""


class WorkspaceNameTaken(SignupError):
    """Another workspace of this instance has this name."""


def signup_is_open() -> bool:
    return settings.SIGNUP_OPEN or is_unclaimed()


def is_unclaimed() -> bool:
    """Whether nobody owns this instance yet."""
    return not User.objects.exists()


@transaction.atomic
def sign_up(email: str, password: str, workspace_name: str) -> Membership:
    """Found a workspace by the sign-up page.

    Raises SignupClosed, EmailTaken, WorkspaceNameTaken. Of two first persons at the same moment
    one wins; the other is told that sign-up is closed.
    """
    _one_at_a_time()
    if not signup_is_open():
        raise SignupClosed(_("Sign-up is closed: this Daypost already has an owner."))
    return found_workspace(email, password, workspace_name)


@transaction.atomic
def found_workspace(
    email: str, password: str, workspace_name: str, postal_address: str = ""
) -> Membership:
    """Make a person, a workspace and the ownership. Raises EmailTaken, WorkspaceNameTaken."""
    if User.objects.filter(email__iexact=email).exists():
        raise EmailTaken(_("There is already an account with this e-mail address."))
    if Workspace.objects.filter(name__iexact=workspace_name).exists():
        raise WorkspaceNameTaken(_("There is already a workspace with this name. Choose another."))
    user = User.objects.create_user(email, password)
    workspace = Workspace.objects.create(name=workspace_name, postal_address=postal_address)
    return Membership.objects.create(user=user, workspace=workspace, role=Membership.Role.OWNER)


def _one_at_a_time() -> None:
    """Until the transaction ends nobody else signs up.

    SQLite has the write lock already, because transactions are IMMEDIATE there.
    """
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(User._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
