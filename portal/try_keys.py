"""The reader's own keys for the stage that a reference describes, and a short-lived one for trying it.

The text of a key is stored as a fingerprint only, so none of her keys can be filled in for her: she pastes one, or
makes one that ends within a day. The page keeps its text in the tab's session storage, never on the server.
"""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import now

from access.keys import create_key
from access.models import (
    ApiKey,
    Application,
    ApplicationState,
    KeyEnvironment,
    Subscription,
    SubscriptionState,
)
from access.queries import living_keys, visible_plans
from accounts.models import Organization, User
from accounts.permissions import can_manage
from apis.models import Stage
from portal import guard

KIND = "try-key"
NAME = "Trying it out"
LASTS = timedelta(days=1)
MOST_SHOWN = 5


@dataclass
class Keys:
    """What a reader can use here. `makes` = one click makes a key; `waits` = her subscription is not approved yet."""

    named: list[ApiKey] = field(default_factory=list)
    makes: bool = False
    waits: bool = False
    offered: bool = False


def keys_for(request: HttpRequest, stage: Stage) -> Keys:
    """Return what the reader has for a stage in the organization she works in."""
    offered = visible_plans(stage.version.api).exists()
    organization = guard.current_organization(request)
    if organization is None:
        return Keys(offered=offered)
    opening = _opening(organization, stage)
    active = [each for each in opening if each.state == SubscriptionState.ACTIVE]
    applications = [each.application_id for each in active]
    keys = living_keys(organization).filter(application__in=applications).order_by("-created_at")
    return Keys(
        named=list(keys[:MOST_SHOWN]),
        makes=bool(active) and can_manage(request.user, organization),
        waits=bool(opening) and not active,
        offered=offered,
    )


def make_key(*, organization: Organization, stage: Stage, actor: User) -> tuple[ApiKey, str] | None:
    """Make a test key that opens the stage and ends in a day; None = no active subscription does. Raises Refused."""
    active = _opening(organization, stage).filter(state=SubscriptionState.ACTIVE)
    subscription = active.filter(application__state=ApplicationState.ACTIVE).first()
    if subscription is None:
        return None
    application: Application = subscription.application
    return create_key(
        application=application,
        name=NAME,
        environment=KeyEnvironment.TEST,
        expires_at=now() + LASTS,
        actor=actor,
    )


def _opening(organization: Organization, stage: Stage) -> QuerySet[Subscription]:
    opening = organization.subscriptions.filter(
        plan__stages=stage, state__in=(SubscriptionState.ACTIVE, SubscriptionState.PENDING)
    )
    return opening.select_related("application").order_by("-started_at")
