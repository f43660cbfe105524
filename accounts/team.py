"""The journey of a team: adding people to a workspace, and removing them."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, User, Workspace


class TeamError(Exception):
    """The team cannot be changed so; the text says why, for the person."""


class AlreadyMember(TeamError):
    """The person belongs to the workspace."""


class LastOwner(TeamError):
    """Without this person nobody could change the workspace."""


@transaction.atomic
def add_person(workspace: Workspace, email: str, role: str = Membership.Role.MEMBER) -> Membership:
    """Let a person into the workspace; who has no account yet gets one without a password.

    Raises AlreadyMember.
    """
    user = User.objects.filter(email__iexact=email).first()
    user = user or User.objects.create_user(email.lower())
    membership, is_new = Membership.objects.get_or_create(
        user=user, workspace=workspace, defaults={"role": role}
    )
    if not is_new:
        raise AlreadyMember(_("%(email)s is in this workspace already.") % {"email": user.email})
    return membership


@transaction.atomic
def remove_person(membership: Membership) -> None:
    """Take a person out of the workspace; what they made in it stays. Raises LastOwner."""
    team = Membership.objects.select_for_update().filter(workspace=membership.workspace)
    owners = [member.pk for member in team if member.role == Membership.Role.OWNER]
    if owners == [membership.pk]:
        raise LastOwner(_("The last owner stays: add another owner first."))
    membership.delete()


def may_be_given_a_link(membership: Membership) -> bool:
    """Whether the owners of this workspace may hand over a link that sets this password.

    Only for somebody who never had a password and belongs to no other workspace: with any other
    link an owner could take over a colleague's account, or look into a stranger's workspace.
    """
    user = membership.user
    return (
        not user.has_usable_password()
        and not user.memberships.exclude(workspace=membership.workspace_id).exists()
    )
