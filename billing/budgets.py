"""Budgets and spend caps, as developers set them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from access.models import Application, Subscription
from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from accounts.percents import read_percents, usual_percents
from accounts.rows import Changes, assign, check_fields, locked, taken_is_refused
from billing.currencies import check_currency
from billing.models import Budget, BudgetAlert
from billing.pricing import MONEY_LIMIT, read_decimal
from billing.soon import look_after_commit

MOST = 100  # budgets of an organization
CHANGEABLE = ("name", "amount", "currency", "percents", "stops", "mails")


@transaction.atomic
def create_budget(
    *,
    organization: Organization,
    name: str,
    amount: Any,
    currency: str,
    actor: User | None,
    application: Application | None = None,
    subscription: Subscription | None = None,
    whole_group: bool = False,
    percents: Sequence[int] | None = None,
    stops: bool = False,
    mails: bool = True,
) -> Budget:
    """Make a budget for a month's costs of the organization, or of one application or subscription of it.

    With `whole_group`, the costs of all organizations that it pays for count along, and a cap stops theirs, too.
    `amount` is money in `currency`, above 0. With `stops` it is a spend cap; it holds within seconds.
    """
    # whoever looks at the organization's spending holds the same lock
    locked(organization)
    if Budget.objects.filter(organization=organization).count() >= MOST:
        raise Refused(f"An organization has at most {MOST} budgets; delete one first.", code="too_many")
    _check_scope(organization, application, subscription)
    _check_group(organization, whole_group, application or subscription)
    budget = Budget(
        organization=organization,
        name=name.strip(),
        application=application,
        subscription=subscription,
        whole_group=whole_group,
        currency=check_currency(currency),
        amount=read_amount(amount),
        percents=read_percents(usual_percents() if percents is None else percents),
        stops=stops,
        mails=mails,
    )
    check_fields(budget)
    with taken_is_refused(f"There is a budget named {budget.name} already.", field="name"):
        budget.save(force_insert=True)
    kind = "spend cap" if stops else "budget"
    _record(budget, actor, "budget.created", f"Made the {kind} {budget} of {_money(budget)} a month.")
    look_after_commit(budget.organization_id)
    return budget


@transaction.atomic
def change_budget(*, budget: Budget, actor: User | None, **fields: Any) -> Budget:
    """Change `name`, `amount`, `currency`, `percents`, `stops` or `mails`; a raised cap lets calls in again.

    Parts that were told this month and are reached still are not told again.
    """
    locked(budget.organization)
    budget = locked(budget)
    before = budget.amount
    if "amount" in fields:
        fields["amount"] = read_amount(fields["amount"])
    if "currency" in fields:
        fields["currency"] = check_currency(fields["currency"])
    if "percents" in fields:
        fields["percents"] = read_percents(fields["percents"])
    changes = assign(budget, fields, allowed=CHANGEABLE)
    if not changes:
        return budget
    check_fields(budget)
    with taken_is_refused(f"There is a budget named {budget.name} already.", field="name"):
        budget.save(update_fields=changes)
    if budget.amount != before and "currency" not in changes:
        _keep_told(budget, before)
    _record(budget, actor, "budget.changed", f"Changed {', '.join(changes)} of {budget}.", changes)
    look_after_commit(budget.organization_id)
    return budget


@transaction.atomic
def delete_budget(*, budget: Budget, actor: User | None) -> None:
    """Delete a budget; what it stopped goes on."""
    locked(budget.organization)
    budget = locked(budget)
    _record(budget, actor, "budget.deleted", f"Deleted the budget {budget} of {_money(budget)} a month.")
    look_after_commit(budget.organization_id)
    budget.delete()


def read_amount(raw: Any) -> Decimal:
    """Return an amount above 0; Refused (field `amount`) otherwise."""
    amount = read_decimal(raw, field="amount", name="The amount", below=MONEY_LIMIT)
    if not amount:
        raise Refused("The amount must be more than 0.", field="amount")
    return amount


def _check_scope(
    organization: Organization, application: Application | None, subscription: Subscription | None
) -> None:
    if application is not None and subscription is not None:
        raise Refused("Choose an application or a subscription, not both.", field="subscription")
    for field, thing in (("application", application), ("subscription", subscription)):
        if thing is not None and thing.organization_id != organization.pk:
            raise Refused(f"This {field} is not the organization's own.", field=field)


def _check_group(organization: Organization, whole_group: bool, part: object | None) -> None:
    if whole_group and part is not None:
        raise Refused(
            "A budget of the whole group counts everything; leave application and subscription out.",
            field="whole_group",
        )
    if whole_group and organization.billing_parent is not None:
        raise Refused(
            f"{organization.billing_parent} pays for {organization}, so only it can set a budget of the group.",
            field="whole_group",
        )


def _keep_told(budget: Budget, before: Decimal) -> None:
    """Note under the new amount what was told under the old one and is reached still."""
    told = budget.alerts.filter(period=budget.period, amount=before)
    BudgetAlert.objects.bulk_create(
        [
            BudgetAlert(
                organization_id=budget.organization_id,
                budget=budget,
                period=budget.period,
                percent=percent,
                amount=budget.amount,
                spent=budget.spent,
                told=False,
            )
            for percent in told.values_list("percent", flat=True)
            if budget.spent * 100 >= budget.amount * percent
        ],
        ignore_conflicts=True,
    )


def _money(budget: Budget) -> str:
    return f"{budget.amount.normalize():f} {budget.currency}"


def _record(
    budget: Budget, actor: User | None, action: str, summary: str, changes: Changes | None = None
) -> None:
    record(
        organization=budget.organization,
        actor=actor,
        action=action,
        target=budget,
        summary=summary,
        changes=changes,
    )
