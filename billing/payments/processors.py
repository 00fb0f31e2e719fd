"""Which payment processors there are, and which one customers pay by."""

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.errors import Refused
from billing.models import Processor
from billing.payments.base import PaymentProcessor

# looked up by name, so that only those that are used are imported
CLASSES = {
    Processor.MANUAL: "billing.payments.manual.ManualProcessor",
    Processor.NULL: "billing.payments.null.NullProcessor",
    Processor.STRIPE: "billing.payments.stripe_processor.StripeProcessor",
}


def processor(kind: str) -> PaymentProcessor:
    """Return the processor of that kind, as the settings have it now."""
    return import_string(CLASSES[Processor(kind)])()


def online() -> Processor | None:
    """Return the one by which customers pay themselves (PAYMENT_PROCESSOR); None = they cannot."""
    return Processor(settings.PAYMENT_PROCESSOR) if settings.PAYMENT_PROCESSOR else None


def demand_online() -> Processor:
    """Return it; Refused(code `not_supported`) where there is none."""
    found = online()
    if found is None:
        raise Refused(
            "Online payment is not set up here. Pay by bank transfer and name the invoice's number.",
            code="not_supported",
        )
    return found
