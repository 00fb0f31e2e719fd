"""Who sees what the catalogue holds: one rule for APIs and products."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import Member, Organization, Role, User
from apis.catalogue_models import Visibility


def seen(
    user: User | AnonymousUser | None,
    *,
    invitations: Callable[[Q], QuerySet[Any, Any]],
    acting_for: Organization | None = None,
    path: str = "",
) -> Q:
    """Return the condition under which a person sees a thing; `path` leads to it, such as `api__`.

    `invitations` returns the ids of things for which there is an invitation that meets a condition. With
    `acting_for`, membership counts in that organization only.
    """
    found = Q(**{f"{path}visibility": Visibility.PUBLIC})
    if user is None or not user.is_authenticated:
        return found
    # who is limited to chosen APIs sees what she was given, and nothing else that is private
    mine = Organization.objects.filter(
        members__in=Member.objects.filter(user=user).exclude(role=Role.LIMITED)
    )
    if acting_for is not None:
        mine = mine.filter(pk=acting_for.pk)
    # her address is verified: nobody signs in without that
    invited = invitations(Q(email=user.email.lower()) | Q(invited__in=mine))
    found |= Q(**{f"{path}visibility": Visibility.SIGNED_IN}) | Q(**{f"{path}organization__in": mine})
    return found | Q(**{f"{path}visibility": Visibility.INVITED, f"{path}pk__in": invited})
