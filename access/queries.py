"""What others may ask of this room. Each answer costs a constant number of queries."""

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet

from access.keys import living
from access.models import (
    ApiKey,
    Application,
    PlanStage,
    PlanVisibility,
    Subscription,
    SubscriptionState,
    UsagePlan,
)
from access.overlap import LIVING
from accounts.models import Organization, User
from apis.models import LIVE, Api, Stage, VersionState
from apis.queries import seen_by


def visible_plans(api: Api) -> QuerySet[UsagePlan]:
    """The plans shown on an API's page: public, and they open one of its deployed live stages."""
    return _offered(_live_stages().filter(stage__version__api=api))


def open_plans(user: User | None, acting_for: Organization | None = None) -> QuerySet[UsagePlan]:
    """The plans a person may pick herself: what `visible_plans` shows, over all APIs that she may see.

    A view that takes a plan's id from a form looks it up here (404 = not for her). With `acting_for`, private
    APIs are those of that organization only, not of all she is a member of.
    """
    seen = seen_by(user, acting_for=acting_for, api="stage__version__api")
    if user is not None and user.is_superuser:
        seen = Q()
    return _offered(_live_stages().filter(seen))


def applications_of(organization: Organization) -> QuerySet[Application]:
    """An organization's applications with their living subscriptions and keys."""
    subscriptions = Subscription.objects.filter(state__in=LIVING).select_related("plan", "provider")
    return organization.applications.prefetch_related(
        Prefetch("subscriptions", subscriptions, to_attr="living_subscriptions"),
        Prefetch("keys", living(ApiKey.objects.all()), to_attr="living_keys"),
    )


def subscriptions_of(organization: Organization) -> QuerySet[Subscription]:
    """An organization's subscriptions as a developer, with application, plan and provider."""
    return _with_names(organization.subscriptions.all())


def subscribers_of(organization: Organization) -> QuerySet[Subscription]:
    """The subscriptions to an organization's plans, as a provider."""
    return _with_names(organization.sold_subscriptions.all())


def waiting_for_approval(organization: Organization) -> QuerySet[Subscription]:
    """A provider's queue: new subscriptions and changes of plan that wait for her, the oldest subscription first."""
    waits = Q(state=SubscriptionState.PENDING) | Q(next_plan_waits=True)
    return subscribers_of(organization).filter(waits).order_by("started_at", "pk")


def living_keys(organization: Organization) -> QuerySet[ApiKey]:
    """The organization's keys that are not revoked, expired or rotated out."""
    return living(organization.api_keys.all()).select_related("application", "replaced_by")


def plans_of(organization: Organization) -> QuerySet[UsagePlan]:
    """A provider's plans with their stages and the number of living subscriptions (`living_count`)."""
    return (
        organization.usage_plans.annotate(
            living_count=Count("subscriptions", filter=Q(subscriptions__state__in=LIVING))
        )
        .prefetch_related(_stages_with_names())
        .order_by("position", "name")
    )


def _live_stages() -> QuerySet[PlanStage]:
    """A plan's places at stages that answer calls: live, deployed, not retired."""
    return (
        PlanStage.objects.filter(plan=OuterRef("pk"), stage__name=LIVE)
        .exclude(stage__deployment=None)
        .exclude(stage__version__state=VersionState.RETIRED)
    )


def _stages_with_names() -> "Prefetch[str]":
    return Prefetch("stages", Stage.objects.select_related("version__api"))


def _offered(places: QuerySet[PlanStage]) -> QuerySet[UsagePlan]:
    return (
        UsagePlan.objects.filter(Exists(places), visibility=PlanVisibility.PUBLIC)
        .select_related("organization")
        .prefetch_related(_stages_with_names())
    )


def _with_names(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    return subscriptions.select_related("organization", "provider", "application", "plan", "created_by")
