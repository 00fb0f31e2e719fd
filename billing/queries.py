"""Reading: invoices, rate cards and the subscriptions that bills are made of."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from access.models import PlanChange, Subscription, SubscriptionState, UsagePlan
from access.overlap import LIVING
from access.queries import open_plans
from accounts.any_of import any_of
from accounts.models import Organization, User
from billing.currencies import DEFAULT_CURRENCY
from billing.models import CreditNote, Invoice, InvoiceLine, InvoiceState, RateCard

_PROVIDER: Any = Subscription._meta.get_field("provider")
_PLAN: Any = Subscription._meta.get_field("plan")


def subscriptions_in(
    *, customer: Organization | None = None, provider: Organization | None = None
) -> QuerySet[Subscription]:
    """Return subscriptions that were approved, with all that rating needs loaded. 2 queries when read."""
    found = Subscription.objects.exclude(state=SubscriptionState.PENDING)
    if customer is not None:
        found = found.filter(organization=customer)
    if provider is not None:
        found = found.filter(provider=provider)
    return (
        found.select_related("organization", "provider", "application", "plan", "next_plan")
        .prefetch_related(_past_changes())
        .order_by("organization_id", "application__name", "id")
    )


def subscriptions_of(provider: Organization) -> QuerySet[Subscription]:
    """Return what `subscriptions_in` does, for `share_plans` to complete."""
    found = Subscription.objects.filter(provider=provider).exclude(state=SubscriptionState.PENDING)
    return found.select_related("organization", "application").order_by(
        "organization_id", "application__name", "id"
    )


def share_plans(subscriptions: QuerySet[Subscription], provider: Organization) -> list[Subscription]:
    """Read many subscriptions of a provider; those on the same plan share one object of it. 3 queries."""
    found = list(subscriptions)
    ids = {each.plan_id for each in found} | {each.next_plan_id for each in found}
    plans = UsagePlan.objects.in_bulk(ids - {None})
    changes: dict[str, list[PlanChange]] = defaultdict(list)
    for change in _changes().filter(any_of("subscription", [each.pk for each in found])):
        changes[change.subscription_id].append(change)
    for each in found:
        each.past_changes = changes.get(each.id, [])
        # setting the attributes would do this, too, and take ten times as long
        _PROVIDER.set_cached_value(each, provider)
        _PLAN.set_cached_value(each, plans[each.plan_id])
        if each.next_plan_id:
            each.next_plan = plans[each.next_plan_id]
    return found


def _changes() -> QuerySet[PlanChange]:
    return PlanChange.objects.select_related("old_plan", "new_plan").order_by("at")


def _past_changes() -> Prefetch:
    return Prefetch("plan_changes", _changes(), to_attr="past_changes")


def with_prices(subscriptions: QuerySet[Subscription]) -> QuerySet[Subscription]:
    """Add what `rate_card_of` needs: the plans' cards with versions and prices. 2 queries more when read."""
    found = subscriptions.select_related("plan__price__rate_card")
    return found.prefetch_related("plan__price__rate_card__versions__prices")


def rate_card_of(subscription: Subscription) -> RateCard | None:
    """Return the rate card that the subscription's plan is billed by today; None = free. See `with_prices`."""
    price = getattr(subscription.plan, "price", None)
    return price.rate_card if price else None


def default_currency(provider_ids: Collection[str]) -> dict[str, str]:
    """Return provider id -> currency of its free plans: that of its oldest rate card, else USD."""
    oldest = (
        RateCard.objects.filter(organization__in=provider_ids)
        .order_by("organization_id", "created_at", "id")
        .distinct("organization_id")
        .values_list("organization_id", "currency")
    )
    return {**dict.fromkeys(provider_ids, DEFAULT_CURRENCY), **dict(oldest)}


def invoices_of_customer(organization: Organization) -> QuerySet[Invoice]:
    """Return the invoices that a developer's organization received, newest first. Drafts are not shown."""
    return _with_parties(Invoice.objects.filter(customer=organization)).exclude(state=InvoiceState.DRAFT)


def invoices_of_provider(organization: Organization) -> QuerySet[Invoice]:
    """Return the invoices that a provider's organization issued, newest first."""
    return _with_parties(Invoice.objects.filter(organization=organization))


def with_lines(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    """Add all that a document shows: lines in order with application and plan, taxes, credit notes. 3 queries more."""
    lines = InvoiceLine.objects.select_related("subscription__application", "subscription__plan")
    return invoices.prefetch_related(Prefetch("lines", lines.order_by("position")), "taxes", "credit_notes")


def credit_notes_of_customer(organization: Organization) -> QuerySet[CreditNote]:
    """Return the credit notes that a developer's organization received, newest first."""
    return _of_parties(CreditNote.objects.filter(customer=organization))


def credit_notes_of_provider(organization: Organization) -> QuerySet[CreditNote]:
    """Return the credit notes that a provider's organization issued, newest first."""
    return _of_parties(CreditNote.objects.filter(organization=organization))


def _of_parties(notes: QuerySet[CreditNote]) -> QuerySet[CreditNote]:
    return notes.select_related("organization", "customer", "invoice__organization", "invoice__customer")


def rate_cards_open_to(user: User, organization: Organization) -> QuerySet[RateCard]:
    """Return the rate cards whose prices a person may know while she acts for `organization`.

    Its own, and those of plans that she is offered or that it is subscribed to.
    """
    offered = Q(plans__plan__in=open_plans(user, acting_for=organization).values("pk"))
    held = Subscription.objects.filter(organization=organization, state__in=LIVING).values("plan")
    return RateCard.objects.filter(
        Q(organization=organization) | offered | Q(plans__plan__in=held)
    ).distinct()


def _with_parties(invoices: QuerySet[Invoice]) -> QuerySet[Invoice]:
    return invoices.select_related("organization", "customer")
