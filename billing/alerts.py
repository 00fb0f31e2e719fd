"""Telling developers that a part of a budget is spent: once for each part and month, by mail and webhook."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from accounts.mail import mail_organization
from accounts.portal_address import portal_url
from accounts.webhooks.emit import emit_many
from billing.currencies import round_money
from billing.estimate import SubscriptionEstimate
from billing.models import Budget, BudgetAlert
from billing.pricing import ZERO


@dataclass(frozen=True, slots=True)
class BudgetState:
    """A budget and what was `spent` of it in the month `period` (`2026-11`; '' = it covers nothing yet)."""

    budget: Budget
    period: str
    spent: Decimal

    @property
    def reached(self) -> list[int]:
        """The chosen percents that are reached, ascending."""
        whole = self.budget.amount
        return [percent for percent in self.budget.percents if self.spent * 100 >= whole * percent]


def states_of(budgets: Sequence[Budget], items: Sequence[SubscriptionEstimate]) -> list[BudgetState]:
    """Return where each budget stands.

    A month is that of the provider's clock. Where providers live in several time zones, the newest month counts:
    for some hours, costs of those who still have the old one are left out.
    """
    by_organization: dict[str, list[SubscriptionEstimate]] = defaultdict(list)
    for item in items:
        for pk in {item.subscription.organization_id, item.payer_id}:
            by_organization[pk].append(item)
    found = []
    for budget in budgets:
        covered = [
            item
            for item in by_organization[budget.organization_id]
            if item.currency == budget.currency and budget.covers(item.subscription, item.payer_id)
        ]
        period = max((item.period.key for item in covered), default="")
        spent = sum((item.subtotal for item in covered if item.period.key == period), ZERO)
        found.append(BudgetState(budget, period, spent))
    return found


def tell(states: Sequence[BudgetState], at: datetime) -> list[BudgetAlert]:
    """Keep where budgets stand, and tell of parts that are reached for the first time. At most 6 queries."""
    _keep(states, at)
    told = _told([state.budget.pk for state in states])
    fresh = [
        BudgetAlert(
            organization_id=state.budget.organization_id,
            budget=state.budget,
            period=state.period,
            percent=percent,
            amount=state.budget.amount,
            spent=state.spent,
            at=at,
        )
        for state in states
        for percent in state.reached
        if state.period and (state.budget.pk, state.period, percent, state.budget.amount) not in told
    ]
    BudgetAlert.objects.bulk_create(fresh)
    emit_many(
        (
            alert.organization_id,
            "budget.threshold_reached",
            event_data(alert.budget, alert.period, alert.spent) | {"percent": alert.percent},
        )
        for alert in fresh
    )
    # of several parts at once, the highest says it all
    for alert in {alert.budget_id: alert for alert in fresh}.values():
        # of a cap that is reached, the mail about the stop says more
        if alert.budget.mails and not (alert.budget.stops and alert.spent >= alert.amount):
            _mail(alert)
    return fresh


def event_data(budget: Budget, period: str, spent: Decimal) -> dict[str, Any]:
    """Return what webhooks tell of a budget."""
    return {
        "budget": budget.pk,
        "name": budget.name,
        "scope": budget.scope,
        "application": budget.application_id,
        "subscription": budget.subscription_id,
        "period": period,
        "currency": budget.currency,
        "amount": shown(budget.amount, budget.currency),
        "spent": shown(spent, budget.currency),
    }


def shown(amount: Decimal, currency: str) -> str:
    """Return money as text, with the currency's decimals."""
    return f"{round_money(amount, currency):f}"


def _keep(states: Sequence[BudgetState], at: datetime) -> None:
    moved = []
    for state in states:
        budget = state.budget
        if (budget.period, budget.spent) != (state.period, state.spent) or budget.spent_at is None:
            budget.period, budget.spent, budget.spent_at = state.period, state.spent, at
            moved.append(budget)
    Budget.objects.bulk_update(moved, ["period", "spent", "spent_at"])


def _told(budget_ids: list[str]) -> set[tuple[str, str, int, Decimal]]:
    rows = BudgetAlert.objects.filter(budget__in=budget_ids).order_by()
    return set(rows.values_list("budget_id", "period", "percent", "amount"))


def _mail(alert: BudgetAlert) -> None:
    budget = alert.budget
    amount, spent = shown(budget.amount, budget.currency), shown(alert.spent, budget.currency)
    mail_organization(
        budget.organization,
        subject=f"{alert.percent} % of the budget {budget} is spent",
        text=f"In {alert.period}, {spent} of {amount} {budget.currency} of the budget {budget} is spent so far.\n\n"
        f"Budgets: {portal_url()}/console/budgets/\nCosts: {portal_url()}/console/costs/\n",
    )
