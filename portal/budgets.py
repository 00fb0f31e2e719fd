"""Budgets as pages show them."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.timezone import now

from access.models import CallAllowance, Subscription, SubscriptionState
from accounts.models import Organization
from billing.models import Budget
from billing.queries import subscriptions_in, with_prices
from billing.spend_stop import GROUP_CAP_REACHED, late_calls_of, slowest
from portal import formats


@dataclass(frozen=True, slots=True)
class ShownBudget:
    """A budget with what it covers and how exactly it stops, in words; `percent` may be above 100."""

    budget: Budget
    covers: str
    percent: int
    exactness: str

    @property
    def note(self) -> str:
        budget = self.budget
        spent, amount = (
            formats.money(each.normalize(), budget.currency) for each in (budget.spent, budget.amount)
        )
        return f"{spent} of {amount} · {self.percent} %"

    @property
    def value(self) -> int:
        """For a bar that ends at 100."""
        return min(self.percent, 100)


def shown_budgets(organization: Organization) -> list[ShownBudget]:
    """Return the organization's budgets, as of the last look at them. 7 queries."""
    rows = Budget.objects.filter(organization=organization)
    rows = rows.select_related("application", "subscription__application", "subscription__plan")
    budgets = list(rows)
    if not budgets:
        return []
    living = [
        each
        for each in with_prices(subscriptions_in(customer=organization))
        if each.state != SubscriptionState.CANCELLED
    ]
    children = organization.billing_children.count()
    in_group = organization.billing_parent_id is not None or children > 0
    return [
        ShownBudget(
            each,
            _covers(each, children),
            int(each.spent * 100 / each.amount),
            _exactness(each, living, in_group=in_group) if each.stops else "",
        )
        for each in budgets
    ]


def stopped_now(organization: Organization) -> list[CallAllowance]:
    """Return which subscriptions are stopped for money, its own and those that its cap of the group stopped."""
    by_group = Q(organization__billing_parent=organization, reason=GROUP_CAP_REACHED)
    rows = CallAllowance.objects.filter(Q(organization=organization) | by_group, stopped_until__gt=now())
    return list(rows.select_related("organization", "subscription__application", "subscription__plan"))


def stopped_by_payer(organization: Organization, stopped: list[CallAllowance]) -> bool:
    """Whether all that is stopped is so by a cap of the organization that pays for it."""
    own = [each for each in stopped if each.organization_id == organization.pk]
    by_payer = [each for each in own if each.reason == GROUP_CAP_REACHED]
    return organization.billing_parent_id is not None and bool(own) and by_payer == own


def _covers(budget: Budget, children: int) -> str:
    if budget.whole_group:
        others = (
            f"{children} other organization{'' if children == 1 else 's'}" if children else "nobody else now"
        )
        return f"The whole billing group: our own and {others}"
    if budget.scope == "organization" and children:
        return "Everything of our own"
    return str(budget.subscription or budget.application or "Everything")


def _exactness(budget: Budget, living: list[Subscription], *, in_group: bool) -> str:
    late = late_calls_of(budget, living, in_group=in_group)
    if late is None:
        return f"Stops within {slowest()} seconds after it is reached."
    if late == 0:
        return "Stops at the last call that fits."
    return f"Stops at most {late:,} calls after it is reached."
