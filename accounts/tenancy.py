"""What a request may see. Every screen, action, choice and export asks here, and nowhere else.

A row belongs to a workspace directly, by a `workspace` field, or through the path that its model
names in `workspace_path`. A model with neither cannot be shown.
"""

from typing import TypeVar

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from accounts.models import Membership, User, Workspace

SESSION_KEY = "workspace"

AnyModel = TypeVar("AnyModel", bound=Model)


def workspace_of(request: HttpRequest) -> Workspace:
    """The workspace this request works in; 404 for somebody who has none."""
    workspace = current_workspace(request)
    if workspace is None:
        raise Http404
    return workspace


def current_workspace(request: HttpRequest) -> Workspace | None:
    """The workspace chosen in this session, else the person's first; None for outsiders."""
    if not hasattr(request, "_workspace"):
        request._workspace = _find_workspace(request)  # type: ignore[attr-defined]
    workspace: Workspace | None = request._workspace  # type: ignore[attr-defined]
    return workspace


def _find_workspace(request: HttpRequest) -> Workspace | None:
    if not isinstance(request.user, User) or not request.user.is_active:
        return None
    mine = own_workspaces(request)
    chosen = request.session.get(SESSION_KEY)
    return (mine.filter(pk=chosen).first() if chosen else None) or mine.first()


def own_workspaces(request: HttpRequest) -> QuerySet[Workspace]:
    """The workspaces that the person belongs to, the first joined first."""
    if not isinstance(request.user, User):
        return Workspace.objects.none()
    return Workspace.objects.filter(memberships__user=request.user).order_by("memberships__id")


def choose_workspace(request: HttpRequest, workspace_id: int) -> Workspace:
    """Work in another of one's own workspaces from now on; 404 for somebody else's."""
    workspace = own_workspaces(request).filter(pk=workspace_id).first()
    if workspace is None:
        raise Http404
    request.session[SESSION_KEY] = workspace.pk
    request._workspace = workspace  # type: ignore[attr-defined]
    return workspace


def is_owner(request: HttpRequest) -> bool:
    """Whether the person may change who belongs to the workspace."""
    here = _memberships(request).filter(workspace=current_workspace(request))
    return here.filter(role=Membership.Role.OWNER).exists()


def _memberships(request: HttpRequest) -> QuerySet[Membership]:
    user = request.user
    return (
        Membership.objects.filter(user=user)
        if isinstance(user, User)
        else Membership.objects.none()
    )


def visible(rows: QuerySet[AnyModel], workspace: Workspace) -> QuerySet[AnyModel]:
    """Of `rows`, those that belong to `workspace`."""
    return rows.filter(**{workspace_path(rows.model): workspace.pk})


def workspace_path(model: type[Model]) -> str:
    """The look-up that leads from `model` to its workspace.

    Raises TypeError for a model that belongs to none: forgetting it must be loud.
    """
    if any(field.name == "workspace" for field in model._meta.get_fields()):
        return "workspace"
    path = getattr(model, "workspace_path", None)
    if not isinstance(path, str):
        raise TypeError(f"{model.__name__} does not say which workspace its rows belong to.")
    return path


def visible_or_404(rows: QuerySet[AnyModel], request: HttpRequest, pk: int | str) -> AnyModel:
    """The row `pk` of the request's workspace, or 404, also for a key that is no number."""
    try:
        row = visible(rows, workspace_of(request)).filter(pk=pk).first()
    except (ValueError, TypeError) as error:
        raise Http404 from error
    if row is None:
        raise Http404
    return row
