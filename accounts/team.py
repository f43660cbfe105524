"""The journey of a team: adding people to a workspace, and removing them."""

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, User, Workspace


class TeamError(Exception):
    """The team cannot be changed so; the text says why, for the person."""


class AlreadyMember(TeamError):
    """The person belongs to the workspace."""


class WorksElsewhere(TeamError):
    """The person has an account here, and it is another workspace's."""


class LastOwner(TeamError):
    """Without this person nobody could change the workspace."""


@transaction.atomic
def add_person(workspace: Workspace, email: str, role: str = Membership.Role.MEMBER) -> Membership:
    """Let a person into the workspace, by an account that sets its password anew.

    Nobody confirms an address here, so an account that another workspace made or holds may be in
    the hands of somebody else: it is refused. One that belongs to no workspace starts afresh, as
    if it were new: its password, its links and its log-ins end.

    Raises AlreadyMember, WorksElsewhere.
    """
    user = User.objects.select_for_update().filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email.lower())
    elif user.memberships.filter(workspace=workspace).exists():
        raise AlreadyMember(_("%(email)s is in this workspace already.") % {"email": user.email})
    elif user.memberships.exists():
        sentence = _(
            "%(email)s already has an account on this Daypost, which is not of this workspace. "
            "Add them with another address."
        )
        raise WorksElsewhere(sentence % {"email": user.email})
    else:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return Membership.objects.create(user=user, workspace=workspace, role=role)


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
