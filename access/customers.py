"""A provider's customers as a whole: shut out, and let in again."""

from collections.abc import Collection

from django.db import transaction
from django.utils.timezone import now

from access.models import CustomerSuspension, Subscription, SubscriptionState
from access.subscribe import resume, suspend
from accounts.audit import record
from accounts.errors import Refused
from accounts.mail import mail_organization
from accounts.models import Organization, User
from accounts.rows import locked, taken_is_refused
from accounts.texts import reason_of


@transaction.atomic
def suspend_customer(
    *, provider: Organization, customer: Organization, reason: str, actor: User | None
) -> CustomerSuspension:
    """Suspend all of a customer's subscriptions to the provider's plans, and let no new one begin.

    The customer is told why. Refused(field `reason`) without one; Refused if it is suspended, or no customer.
    """
    reason = reason_of(reason)
    customer = locked(customer)
    subscriptions = Subscription.objects.filter(organization=customer, provider=provider)
    if not subscriptions.exists():
        raise Refused(f"{customer} is no customer of {provider}.", code="wrong_state")
    with taken_is_refused(f"{customer} is suspended already.", field=""):
        suspension = CustomerSuspension.objects.create(
            organization=provider, customer=customer, reason=reason, suspended_by=actor
        )
    for each in subscriptions.filter(state=SubscriptionState.ACTIVE).order_by("pk"):
        suspend(subscription=each, actor=actor)
    _announce(suspension, actor, "suspended", f"Suspended the customer {customer}: {reason}")
    mail_organization(
        customer,
        subject=f"{provider} suspended your subscriptions",
        text=f"{provider} suspended the subscriptions of {customer}: calls with their keys are refused.\n\n"
        f"Reason: {reason}\n",
    )
    return suspension


@transaction.atomic
def resume_customer(
    *,
    provider: Organization,
    customer: Organization,
    actor: User | None,
    but: Collection[str] = (),
) -> int:
    """Let a suspended customer in again, and tell it; return how many subscriptions work again.

    All that are suspended do, but those named by id in `but` (they wait for something else, such as a payment).
    """
    customer = locked(customer)
    suspension = suspension_of(provider, customer)
    if suspension is None:
        raise Refused(f"{customer} is not suspended.", code="wrong_state")
    suspension.lifted_at = now()
    suspension.save(update_fields=["lifted_at"])
    stopped = Subscription.objects.filter(
        organization=customer, provider=provider, state=SubscriptionState.SUSPENDED
    )
    resumed = [resume(subscription=each, actor=actor) for each in stopped.exclude(pk__in=but).order_by("pk")]
    _announce(suspension, actor, "resumed", f"Resumed the customer {customer}.")
    mail_organization(
        customer,
        subject=f"Your subscriptions with {provider} work again",
        text=f"{provider} let {customer} in again.\n",
    )
    return len(resumed)


def suspension_of(provider: Organization, customer: Organization) -> CustomerSuspension | None:
    """Return the customer's running suspension by this provider."""
    return CustomerSuspension.objects.filter(
        organization=provider, customer=customer, lifted_at__isnull=True
    ).first()


def reasons_of(customer: Organization) -> dict[str, str]:
    """Return why providers serve a customer nothing now: the provider's id -> the reason it was given."""
    running = CustomerSuspension.objects.filter(customer=customer, lifted_at__isnull=True)
    return dict(running.values_list("organization_id", "reason"))


def _announce(suspension: CustomerSuspension, actor: User | None, what: str, summary: str) -> None:
    for organization in {suspension.organization, suspension.customer}:
        record(
            organization=organization,
            actor=actor,
            action=f"customer.{what}",
            target=suspension.customer,
            summary=summary,
        )
