"""What a provider sees of one customer: only what touches this provider, and no secret."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, QuerySet, When
from django.utils.timezone import now

from access.models import ApiKey, Subscription, SubscriptionState
from accounts.models import Organization, Role
from accounts.queries import members_of
from billing.dunning import held
from billing.ledger.balances import balances
from billing.models import CustomerTerms, Invoice, InvoiceState, PriceOverride
from billing.queries import invoices_of_provider
from metering.queries import Scope, Span, Summary, summary
from portal import prices
from portal.quotas import QuotaUse, quota_use
from portal.views.console_keys import key_state

DAYS = timedelta(days=30)
MOST_INVOICES = 12
MOST_PLACES = 200


@dataclass(frozen=True, slots=True)
class Place:
    """A subscription with its price and, where its plan has one over all keys, its quota."""

    subscription: Subscription
    terms: prices.PlanTerms
    quota: QuotaUse | None
    waits_for_money: bool


@dataclass(frozen=True, slots=True)
class Bills:
    """What the customer owes this provider. Totals by currency."""

    credits: dict[str, Decimal]
    open_due: dict[str, Decimal]
    invoices: list[Invoice]
    terms: CustomerTerms | None
    overrides: list[PriceOverride]


def places_of(provider: Organization, customer: Organization) -> list[Place]:
    """The living subscriptions first, then the last that ended. At most 9 queries."""
    ended = Case(When(state=SubscriptionState.CANCELLED, then=1), default=0)
    rows = (
        Subscription.objects.filter(provider=provider, organization=customer)
        .select_related("application", "plan__price__rate_card", "next_plan", "organization", "provider")
        .prefetch_related("plan__price__rate_card__versions__prices")
        .order_by(ended, "-ended_at", "application__name", "started_at")[:MOST_PLACES]
    )
    quotas = {use.subscription.pk: use for use in quota_use(rows)}
    waiting = set(waiting_for_money(provider, customer))
    return [Place(each, prices.terms(each.plan), quotas.get(each.pk), each.pk in waiting) for each in rows]


def waiting_for_money(provider: Organization, customer: Organization) -> list[str]:
    """Ids of the subscriptions that are suspended for late payment."""
    holds = held(customer=customer).filter(organization=provider)
    return list(holds.values_list("subscription", flat=True))


def keys_of(provider: Organization, customer: Organization) -> list[dict[str, Any]]:
    """Keys of the applications that are or were on the provider's plans, those that work first. One query."""
    keys = ApiKey.objects.filter(organization=customer, application__subscriptions__provider=provider)
    rows = [{"key": key, "state": key_state(key)} for key in keys.distinct().select_related("application")]
    return sorted(rows, key=lambda row: (row["state"] != "active", row["key"].application.name))


def usage_of(provider: Organization, customer: Organization) -> Summary:
    """The last 30 days' calls to this provider."""
    end = now() + timedelta(seconds=1)
    scope = Scope(provider=provider.pk, developer=customer.pk)
    return summary(scope=scope, span=Span(end - DAYS, end))


def bills_of(provider: Organization, customer: Organization) -> Bills:
    """What it owes, and on what terms."""
    invoices = invoices_of_provider(provider).filter(customer=customer)
    return Bills(
        credits={
            currency: amount
            for (_, _, currency), amount in balances(
                provider_ids=[provider.pk], customer_ids=[customer.pk]
            ).items()
        },
        open_due=_due(invoices),
        invoices=list(invoices[:MOST_INVOICES]),
        terms=CustomerTerms.objects.filter(organization=provider, customer=customer).first(),
        overrides=list(_overrides(provider, customer)),
    )


def contacts_of(customer: Organization) -> list[str]:
    """The billing address and the owners' addresses."""
    owners = members_of(customer).filter(role=Role.OWNER, user__is_active=True)
    found = [customer.billing_email, *owners.values_list("user__email", flat=True)]
    return list(dict.fromkeys(each for each in found if each))


def _due(invoices: QuerySet[Invoice]) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    waiting = invoices.filter(state=InvoiceState.FINALIZED, amount_due__gt=0)
    for currency, amount in waiting.order_by().values_list("currency", "amount_due"):
        found[currency] = found.get(currency, Decimal(0)) + amount
    return found


def _overrides(provider: Organization, customer: Organization) -> QuerySet[PriceOverride]:
    """Those that hold now or will."""
    rows = PriceOverride.objects.filter(organization=provider, customer=customer)
    return rows.exclude(ends_at__lte=now()).select_related("rate_card", "customer")
