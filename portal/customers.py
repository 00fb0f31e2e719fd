"""A provider's customers, as its pages list them: found by words, and by plan, state and standing."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import now

from access.models import ApiKey, CustomerSuspension, Subscription, SubscriptionState
from access.overlap import LIVING
from accounts.models import Organization, Role
from billing.models import Invoice, InvoiceState

GOOD, LATE, SUSPENDED, SHUT = "good", "late", "suspended", "shut"
STANDINGS = {
    GOOD: "In good standing",
    LATE: "Owes late invoices",
    SUSPENDED: "Suspended by you",
    SHUT: "Suspended by the site's staff",
}
STATES = [(state.value, state.label) for state in SubscriptionState]


@dataclass(slots=True)
class Customer:
    """One line of the list. `since` is the start of its first subscription."""

    organization: Organization
    standing: str
    plans: list[str] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    since: datetime | None = None

    @property
    def standing_words(self) -> str:
        return STANDINGS[self.standing]


def customers_of(provider: Organization) -> QuerySet[Organization]:
    """Every organization that ever had a subscription to the provider's plans, with what `standing_of` needs."""
    sold = Subscription.objects.filter(provider=provider, organization=OuterRef("pk"))
    late = Invoice.objects.filter(
        organization=provider,
        customer=OuterRef("pk"),
        state=InvoiceState.FINALIZED,
        amount_due__gt=0,
        due_at__lt=now(),
    )
    out = CustomerSuspension.objects.filter(
        organization=provider, customer=OuterRef("pk"), lifted_at__isnull=True
    )
    return Organization.objects.filter(Exists(sold)).annotate(is_late=Exists(late), is_out=Exists(out))


def standing_of(customer: Any) -> str:
    """The worst that is true of a row of `customers_of`."""
    if customer.suspended_at is not None:
        return SHUT
    if customer.is_out:
        return SUSPENDED
    return LATE if customer.is_late else GOOD


def narrowed(
    customers: QuerySet[Organization], provider: Organization, wanted: Mapping[str, str]
) -> QuerySet[Organization]:
    """Keep those that `q`, `plan` (id), `state` (of a subscription) and `standing` describe; '' = any."""
    sold = Subscription.objects.filter(provider=provider, organization=OuterRef("pk"))
    if plan := wanted.get("plan"):
        sold = sold.filter(plan=plan)
    if state := wanted.get("state"):
        sold = sold.filter(state=state)
    elif plan:
        sold = sold.filter(state__in=LIVING)
    if plan or state:
        customers = customers.filter(Exists(sold))
    if words := " ".join(wanted.get("q", "").split()):
        customers = customers.filter(_named(words, provider))
    return customers.filter(_of_standing(wanted.get("standing", "")))


def _named(words: str, provider: Organization) -> Q:
    """By its own name or id, an application's name, an owner's address, or how a key begins."""
    keys = ApiKey.objects.filter(
        organization=OuterRef("pk"), prefix__startswith=words, application__subscriptions__provider=provider
    )
    applications = Subscription.objects.filter(
        organization=OuterRef("pk"), provider=provider, application__name__icontains=words
    )
    owners = Q(members__role=Role.OWNER, members__user__email__icontains=words)
    ids = Organization.objects.filter(owners).values("pk")
    own = Q(name__icontains=words) | Q(pk=words.lower()) | Q(slug=words.lower())
    return own | Q(billing_email__icontains=words) | Q(pk__in=ids) | Exists(applications) | Exists(keys)


def _of_standing(standing: str) -> Q:
    shut = Q(suspended_at__isnull=False)
    found = {
        SHUT: shut,
        SUSPENDED: ~shut & Q(is_out=True),
        LATE: ~shut & Q(is_out=False, is_late=True),
        GOOD: ~shut & Q(is_out=False, is_late=False),
    }
    return found.get(standing, Q())


def lines_of(customers: Collection[Organization], provider: Organization) -> list[Customer]:
    """Describe the customers of a page. One query."""
    found = {each.pk: Customer(each, standing_of(each)) for each in customers}
    rows = Subscription.objects.filter(provider=provider, organization__in=found).order_by("started_at")
    plans: dict[str, dict[str, None]] = defaultdict(dict)
    for pk, plan, state, since in rows.values_list("organization", "plan__name", "state", "started_at"):
        line = found[pk]
        line.since = line.since or since
        line.states[state] = line.states.get(state, 0) + 1
        if state in LIVING:
            plans[pk][plan] = None
    for pk, names in plans.items():
        found[pk].plans = list(names)
    return list(found.values())
