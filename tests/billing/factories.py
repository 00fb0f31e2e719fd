"""Rows for billing's tests: what was used, and a provider with a priced plan."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from access.models import PlanChange, Subscription, UsagePlan
from accounts.models import BillingMembership, Organization
from billing.invoices import close_period
from billing.ledger.balances import settled
from billing.models import Invoice, RateCard
from billing.periods import Period, month
from billing.presets import DATA_OUT, DATA_OUT_FREE, REST_REQUESTS
from billing.rate_cards import add_version, change_rate_card, create_rate_card, price_plan, set_price
from metering.latency import BUCKETS
from metering.models import UsageDay, UsageHour, UsageMinute
from tests.factories import make_application, make_organization, make_plan, make_subscription

GIB = 2**30
OCTOBER: Period = month(2026, 10, "UTC")
NOVEMBER: Period = month(2026, 11, "UTC")
AFTER_OCTOBER = OCTOBER.end + timedelta(hours=2)


def october(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 10, day, hour, tzinfo=UTC)


def november(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def make_rate_card(organization: Organization | None = None, **fields) -> RateCard:
    """A card with AWS's REST prices (100 GiB of data out free) and no base fee."""
    card = create_rate_card(
        organization=organization or make_organization(), **({"name": "AWS", "actor": None} | fields)
    )
    set_price(rate_card=card, meter="requests", tiers=REST_REQUESTS, actor=None)
    set_price(rate_card=card, meter="bytes_out", tiers=DATA_OUT, free_units=DATA_OUT_FREE, actor=None)
    return card


def make_priced_plan(rate_card: RateCard | None = None, **fields) -> UsagePlan:
    """A plan of the card's organization, billed by it."""
    card = rate_card or make_rate_card()
    plan = make_plan(organization=card.organization, **fields)
    price_plan(plan=plan, rate_card=card, actor=None)
    return plan


def subscribed(plan: UsagePlan, customer: Organization | None = None, **fields) -> Subscription:
    """A subscription that began in September 2026."""
    started = {"started_at": datetime(2026, 9, 20, tzinfo=UTC)}
    return make_subscription(make_application(customer), plan, **(started | fields))


def use(
    subscription: Subscription,
    at: datetime,
    calls: int,
    bytes_out: int = 0,
    verdict: str = "",
    *,
    api: str = "a",
) -> None:
    """Record calls in minutes, hours and days, as metering does (4xx when a verdict refused them)."""
    starts = {
        UsageMinute: at.replace(second=0, microsecond=0),
        UsageHour: at.replace(minute=0, second=0, microsecond=0),
        UsageDay: at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0),
    }
    for table, start in starts.items():
        record, made = table.objects.get_or_create(
            at=start,
            subscription_id=subscription.pk,
            key_id="k",
            stage_id=api,
            operation_id="o",
            status_class=4 if verdict else 2,
            verdict=verdict,
            defaults={
                "organization_id": subscription.provider_id,
                "developer_id": subscription.organization_id,
                "application_id": subscription.application_id,
                "api_id": api,
                "version_id": "v",
                "calls": calls,
                "bytes_out": bytes_out,
                "bytes_in": 0,
                "latency_ms": calls,
                "integration_ms": 0,
                "latency_counts": [calls] + [0] * (BUCKETS - 1),
            },
        )
        if not made:
            record.calls += calls
            record.bytes_out += bytes_out
            record.save()


def amounts(invoice) -> list[Decimal]:
    return [line.amount for line in invoice.lines.order_by("position")]


def close(provider, period=OCTOBER, at=AFTER_OCTOBER, corrections=True) -> list[Invoice]:
    """Close a month (October, two hours after it, by difference) and return the new invoices."""
    ids = close_period(provider=provider, period=period, at=at, corrections=corrections, actor=None)
    return list(Invoice.objects.filter(pk__in=ids).order_by("number"))


def still_due(invoice: Invoice) -> Decimal:
    """What is left to be paid of an invoice, by the ledger."""
    return invoice.total - settled([invoice.pk])[invoice.pk]


def close_one(provider, **options) -> Invoice:
    """The same, where exactly one invoice is expected."""
    (invoice,) = close(provider, **options)
    return invoice


def card_with(
    organization: Organization | None = None, *, meter: str = "requests", price: dict | None = None, **terms
) -> RateCard:
    """A card with one price, or with none; `price` is what set_price takes."""
    card = create_rate_card(
        organization=organization or make_organization(), **({"name": "Card", "actor": None} | terms)
    )
    if price:
        set_price(rate_card=card, meter=meter, actor=None, **price)
    return card


def each_at(price: str, free: int = 0) -> dict:
    """Every unit at one price."""
    return {"model": "per_unit", "tiers": [{"up_to": None, "unit_price": price}], "free_units": free}


def packages_at(price: str, size: int, free: int = 0) -> dict:
    """Started packages of a size at one price."""
    return {
        "model": "package",
        "package_size": size,
        "tiers": [{"up_to": None, "unit_price": price}],
        "free_units": free,
    }


def new_version(card: RateCard, at: datetime, *, base_fee: str | None = None, price: dict | None = None):
    """A version from a moment in the past on, as if it had been made in time. The card must not be sold yet."""
    card.versions.filter(number=1).update(effective_from=datetime(2020, 1, 1, tzinfo=UTC))
    version = add_version(rate_card=card, at=at, actor=None)
    if base_fee is not None:
        change_rate_card(rate_card=card, at=at, base_fee=base_fee, actor=None)
    if price:
        set_price(rate_card=card, meter="requests", at=at, actor=None, **price)
    return version


def change_plan_at(subscription: Subscription, plan: UsagePlan, at: datetime, counters: str = "keep") -> None:
    """Move a subscription to another plan, as if it had been done then."""
    PlanChange.objects.create(
        organization=subscription.organization,
        subscription=subscription,
        at=at,
        old_plan=subscription.plan,
        new_plan=plan,
        counters=counters,
    )
    subscription.plan = plan
    subscription.save(update_fields=["plan"])


def pay_for(child: Organization, parent: Organization, since: datetime) -> None:
    """Let the parent pay for the child from a moment on."""
    BillingMembership.objects.create(organization=child, parent=parent, joined_at=since)
    child.billing_parent = parent
    child.save(update_fields=["billing_parent"])
