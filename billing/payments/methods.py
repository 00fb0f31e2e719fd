"""Cards and accounts that customers leave with the processor, to be charged when an invoice is issued."""

from django.db import transaction
from django.db.models import QuerySet

from accounts.audit import record
from accounts.errors import Refused
from accounts.models import Organization, User
from billing.models import PaymentMethod
from billing.payments.base import ProcessorUnreachable, SavedMethod
from billing.payments.pay import LATER
from billing.payments.processors import demand_online, processor


def set_up_method(
    *, provider: Organization, customer: Organization, return_url: str, actor: User | None
) -> str:
    """Return the address at the processor where the customer leaves a card; its message tells us when she did.

    Refused (code `not_supported`) where the processor keeps none, (code `unreachable`) where it gives no answer.
    """
    kind = demand_online()
    method, _ = PaymentMethod.objects.get_or_create(organization=provider, customer=customer, processor=kind)
    try:
        external, url = processor(kind).set_up(method, return_url=return_url)
    except ProcessorUnreachable as error:
        raise Refused(LATER, code="unreachable") from error
    PaymentMethod.objects.filter(pk=method.pk).update(external_customer=external)
    return url


@transaction.atomic
def remove_method(*, method: PaymentMethod, actor: User | None) -> None:
    """Forget a card: it is not charged any more."""
    label = str(method)
    PaymentMethod.objects.filter(pk=method.pk).update(external_method="", label="")
    _audit(method, actor, "removed", f"Removed {label}")


@transaction.atomic
def save_method(kind: str, saved: SavedMethod) -> PaymentMethod | None:
    """Keep what a customer left at the processor; None where she is none of ours."""
    found = PaymentMethod.objects.select_for_update().filter(
        processor=kind, external_customer=saved.external_customer
    )
    method = found.first()
    if method is None or method.external_method == saved.external_method:
        return method
    method.external_method, method.label = saved.external_method, saved.label
    method.save(update_fields=["external_method", "label"])
    _audit(method, None, "saved", f"Left {saved.label} for payments to {method.organization}")
    return method


def methods_of(customer: Organization) -> QuerySet[PaymentMethod]:
    """Return the cards that a customer has left, with their providers."""
    found = PaymentMethod.objects.filter(customer=customer).exclude(external_method="")
    return found.select_related("organization").order_by("organization__name")


def _audit(method: PaymentMethod, actor: User | None, verb: str, summary: str) -> None:
    record(
        organization=method.customer,
        actor=actor,
        action=f"payment_method.{verb}",
        target=method,
        summary=summary,
    )
