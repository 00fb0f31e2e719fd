"""Working out invoices in memory: what is due for a customer's month, less what was billed before."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet, Sum

from access.models import Subscription
from accounts.models import Organization
from billing.currencies import DECIMALS
from billing.models import Invoice, InvoiceLine, InvoiceState, RateCard
from billing.periods import Period
from billing.pricing import ZERO, plain
from billing.queries import rate_card_of
from billing.quote import BillLine
from billing.rating import NO_USAGE, base_fee_line, units_of, usage_lines
from metering.queries import quantities


@dataclass(frozen=True, slots=True)
class Billed:
    """What invoices that are not void hold of one subscription's month: units by meter, and the base fee."""

    units: dict[str, Decimal] = field(default_factory=dict)
    base_fee: bool = False


@dataclass(slots=True)
class Draft:
    """An invoice with its lines, not yet written."""

    customer: Organization
    currency: str
    lines: list[InvoiceLine] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)

    def add(self, subscription: Subscription, period: Period, lines: Iterable[BillLine], note: str) -> None:
        """Append a subscription's lines; `note` follows each description."""
        label = f"{subscription.application.name}, {subscription.plan.name}"
        for line in lines:
            self.lines.append(
                InvoiceLine(
                    subscription=subscription,
                    position=len(self.lines) + 1,
                    description=f"{label}: {line.description}{note}",
                    month_start=period.start,
                    meter=line.meter,
                    tier=line.tier,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    flat_fee=line.flat_fee,
                    amount=line.amount,
                )
            )

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), ZERO)


def draft_invoices(
    *,
    subscriptions: Sequence[Subscription],
    months: Sequence[tuple[Period, set[str]]],
    current: Period,
    default_currency: str,
) -> list[Draft]:
    """Return the drafts for these subscriptions of one provider, by customer and currency; none is empty.

    `months` pairs a month with the ids of the customers to bill it for; a month before `current` gives lines
    "late counts of ...", without a base fee. Queries: 2 for each month.
    """
    drafts: dict[tuple[str, str], Draft] = {}
    for period, customers in months:
        members = [s for s in subscriptions if s.organization_id in customers and _overlaps(s, period)]
        ids = [s.pk for s in members]
        used = quantities(subscription_ids=ids, start=period.start, end=period.end)
        billed = billed_so_far(ids, period.start)
        note = "" if period == current else f" (late counts of {period.label})"
        for subscription in members:
            card = rate_card_of(subscription)
            before = billed.get(subscription.pk, Billed())
            units = units_of(used.get(subscription.pk, NO_USAGE))
            fee = base_fee_line(card) if period == current and not before.base_fee else None
            lines = ([fee] if fee else []) + usage_lines(card, units, before.units)
            if not lines:
                continue
            key = (subscription.organization_id, card.currency if card else default_currency)
            draft = drafts.setdefault(key, Draft(subscription.organization, key[1]))
            draft.add(subscription, period, lines, note)
            draft.subscriptions.append(_frozen_subscription(subscription, card, period, units, before))
    return list(drafts.values())


def billed_so_far(subscription_ids: Sequence[str], month_start: datetime) -> dict[str, Billed]:
    """Return subscription id -> what was billed of that month. 1 query."""
    rows = (
        InvoiceLine.objects.filter(subscription__in=subscription_ids, month_start=month_start)
        .exclude(invoice__state=InvoiceState.VOID)
        .order_by()
        .values_list("subscription_id", "meter")
        .annotate(units=Sum("quantity"))
    )
    units: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for subscription_id, meter, quantity in rows:
        units[subscription_id][meter] = quantity
    return {
        key: Billed({meter: n for meter, n in found.items() if meter}, "" in found)
        for key, found in units.items()
    }


def frozen_copy(provider: Organization, draft: Draft, period: Period) -> dict[str, Any]:
    """Return all that a reader needs to recompute the invoice, as JSON; numbers are text."""
    return {
        "provider": _frozen_organization(provider),
        "customer": _frozen_organization(draft.customer),
        "month": {"name": period.key, "timezone": period.timezone},
        "rounding": {"currency": draft.currency, "decimals": DECIMALS[draft.currency], "mode": "half up"},
        "subscriptions": draft.subscriptions,
    }


def last_parts(invoices: QuerySet[Invoice]) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    """Return (customer id, currency) -> (highest part, newest period end that is not void)."""
    found: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for invoice in invoices.order_by("part").only("customer", "currency", "part", "period_end", "state"):
        key = (invoice.customer_id, invoice.currency)
        end = found.get(key, (0, None))[1]
        if invoice.state != InvoiceState.VOID:
            end = max(end, invoice.period_end) if end else invoice.period_end
        found[key] = (invoice.part, end)
    return found


def _overlaps(subscription: Subscription, period: Period) -> bool:
    started, ended = subscription.started_at, subscription.ended_at
    # a request that was declined ends where it began
    return started < period.end and (ended is None or (ended > period.start and ended > started))


def _frozen_organization(organization: Organization) -> dict[str, str]:
    return {
        "id": organization.pk,
        "name": organization.name,
        "billing_email": organization.billing_email,
        "timezone": organization.timezone,
    }


def _frozen_subscription(
    subscription: Subscription,
    card: RateCard | None,
    period: Period,
    units: dict[str, Decimal],
    before: Billed,
) -> dict[str, Any]:
    application, plan = subscription.application, subscription.plan
    return {
        "id": subscription.pk,
        "application": {"id": application.pk, "name": application.name},
        "plan": {"id": plan.pk, "name": plan.name},
        "month": period.key,
        "units": {meter: plain(value) for meter, value in units.items()},
        "invoiced_before": {meter: plain(value) for meter, value in before.units.items()},
        "rate_card": card and _frozen_rate_card(card),
    }


def _frozen_rate_card(card: RateCard) -> dict[str, Any]:
    return {
        "id": card.pk,
        "name": card.name,
        "currency": card.currency,
        "base_fee": plain(card.base_fee),
        "prices": [
            {
                "meter": price.meter,
                "model": price.model,
                "free_units": plain(price.free_units),
                "tiers": price.tiers,
            }
            for price in card.prices.all()
        ],
    }
