"""What waits for a provider's answer, as its page lists it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, QuerySet

from access.models import Subscription
from access.queries import waiting_for_approval
from accounts.models import AuditEvent, Organization, User
from billing.models import RateCard
from portal import prices

_CARDS = ("plan__price__rate_card", "next_plan__price__rate_card")


@dataclass(frozen=True, slots=True)
class Request:
    """A new subscription (`before` is None), or a change of plan. `asked_at` is None if no audit line tells."""

    subscription: Subscription
    wanted: prices.PlanTerms
    before: prices.PlanTerms | None
    asker: User | None
    asked_at: datetime | None

    @property
    def label(self) -> str:
        """For screen readers: which one a control is about."""
        return f"{self.wanted.plan} for {self.subscription.application} of {self.subscription.organization}"


def waiting(organization: Organization) -> QuerySet[Subscription]:
    """The queue with all that `requests_of` needs. 3 queries when read."""
    cards = RateCard.objects.prefetch_related("versions__prices")
    return (
        waiting_for_approval(organization)
        .select_related("next_plan", "plan__price", "next_plan__price")
        .prefetch_related(*(Prefetch(name, cards) for name in _CARDS))
    )


def requests_of(subscriptions: Collection[Subscription]) -> list[Request]:
    """Describe what waits. One query more if there are changes of plan: their audit lines tell who asked."""
    changes = [each.pk for each in subscriptions if each.next_plan_waits]
    asked = _asked(changes) if changes else {}
    return [_request(each, asked.get(each.pk)) for each in subscriptions]


def _request(subscription: Subscription, asked: AuditEvent | None) -> Request:
    now = prices.terms(subscription.plan)
    if not subscription.next_plan_waits or subscription.next_plan is None:
        return Request(subscription, now, None, subscription.created_by, subscription.started_at)
    wanted = prices.terms(subscription.next_plan)
    who, when = (asked.actor, asked.at) if asked else (None, None)
    return Request(subscription, wanted, now, who, when)


def _asked(subscription_ids: Collection[str]) -> dict[str, AuditEvent]:
    lines = AuditEvent.objects.filter(
        target_kind="subscription", target_id__in=subscription_ids, action="subscription.change_planned"
    )
    return {line.target_id: line for line in lines.select_related("actor").order_by("at", "id")}
