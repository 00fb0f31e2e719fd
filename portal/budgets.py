"""Budgets as pages show them."""

from dataclasses import dataclass

from django.utils.timezone import now

from access.models import CallAllowance, Subscription, SubscriptionState
from accounts.models import Organization
from billing.models import Budget
from billing.queries import subscriptions_in, with_prices
from billing.spend_stop import late_calls_of, slowest
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
    in_group = organization.billing_parent_id is not None or organization.billing_children.exists()
    return [
        ShownBudget(
            each,
            str(each.subscription or each.application or "Everything"),
            int(each.spent * 100 / each.amount),
            _exactness(each, living, in_group=in_group) if each.stops else "",
        )
        for each in budgets
    ]


def stopped_now(organization: Organization) -> list[CallAllowance]:
    """Return which of the organization's subscriptions are stopped for money."""
    rows = CallAllowance.objects.filter(organization=organization, stopped_until__gt=now())
    return list(rows.select_related("subscription__application", "subscription__plan"))


def _exactness(budget: Budget, living: list[Subscription], *, in_group: bool) -> str:
    late = late_calls_of(budget, living, in_group=in_group)
    if late is None:
        return f"Stops within {slowest()} seconds after it is reached."
    if late == 0:
        return "Stops at the last call that fits."
    return f"Stops at most {late:,} calls after it is reached."
