"""What must be settled before an organization can be closed, each with the way out."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from access.models import Subscription, SubscriptionState
from accounts.models import Organization
from billing.documents.words import money_of
from billing.estimate import estimate
from billing.ledger.balances import balances
from billing.models import Invoice, InvoiceState


@dataclass(frozen=True, slots=True)
class Obstacle:
    """`code` is for programs; `text` says what it is, `way_out` what to do."""

    code: str
    text: str
    way_out: str


def obstacles(organization: Organization) -> list[Obstacle]:
    """Return all of them; [] = it can be closed. About 10 queries."""
    return [*_as_developer(organization), *_as_provider(organization)]


def _as_developer(organization: Organization) -> Iterator[Obstacle]:
    running = _running(Subscription.objects.filter(organization=organization)).count()
    if running:
        yield Obstacle(
            "running_subscriptions",
            f"{_count(running, 'subscription is', 'subscriptions are')} not cancelled yet.",
            "Cancel each under Applications.",
        )
    owed = _open(Invoice.objects.filter(customer=organization)).count()
    if owed:
        yield Obstacle(
            "open_invoices",
            f"{_count(owed, 'invoice to it is', 'invoices to it are')} not settled.",
            "Pay them under Invoices, or ask who sent them to void them.",
        )
    unbilled = {name: sum_ for name, sum_ in estimate(organization=organization).totals.items() if sum_ > 0}
    if unbilled:
        sums = " and ".join(money_of(amount, name) for name, amount in unbilled.items())
        yield Obstacle(
            "unbilled_use",
            f"{sums} of this month are on no final invoice yet.",
            "Close it when the month's last invoice is paid.",
        )
    yield from _credit(organization, as_provider=False)


def _as_provider(organization: Organization) -> Iterator[Obstacle]:
    others = Subscription.objects.filter(provider=organization).exclude(organization=organization)
    customers = _running(others).values("organization").distinct().count()
    if customers:
        yield Obstacle(
            "customers",
            f"{_count(customers, 'customer is', 'customers are')} on plans of its APIs.",
            "Tell them, then end their subscriptions, or let them cancel.",
        )
    unpaid = _open(Invoice.objects.filter(organization=organization).exclude(customer=organization)).count()
    if unpaid:
        yield Obstacle(
            "unpaid_invoices",
            f"{_count(unpaid, 'invoice that it sent is', 'invoices that it sent are')} not settled.",
            "Wait for the payment, or void them under Money.",
        )
    yield from _credit(organization, as_provider=True)
    paid_for = ", ".join(each.name for each in organization.billing_children.order_by("name")[:5])
    if paid_for:
        yield Obstacle(
            "pays_for_others",
            f"It pays the bills of {paid_for}.",
            "End that under Organization, Billing group.",
        )


def _credit(organization: Organization, *, as_provider: bool) -> Iterator[Obstacle]:
    """Prepaid credit that is not used up: its own with providers, or that of its customers."""
    own = organization.pk
    found = balances(provider_ids=[own]) if as_provider else balances(customer_ids=[own])
    for (provider, customer, currency), left in sorted(found.items()):
        if left <= 0 or (as_provider and customer == own):
            continue
        other = Organization.objects.get(pk=customer if as_provider else provider)
        amount = money_of(left, currency)
        if as_provider:
            text, way_out = f"{other} has {amount} of credit with it.", "Pay it back, or take it back."
        else:
            text, way_out = f"It has {amount} of credit with {other}.", "Use it, or ask for it back."
        yield Obstacle("customers_credit" if as_provider else "credit", text, way_out)


def _running(rows: QuerySet[Subscription]) -> QuerySet[Subscription]:
    return rows.exclude(state=SubscriptionState.CANCELLED)


def _open(rows: QuerySet[Invoice]) -> QuerySet[Invoice]:
    finalized = Q(state=InvoiceState.FINALIZED, amount_due__gt=0)
    return rows.filter(Q(state=InvoiceState.DRAFT) | finalized)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
