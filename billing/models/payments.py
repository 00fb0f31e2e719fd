"""Payments of invoices and for credits, what was paid back of them, and how a customer pays."""

from django.db import models
from django.db.models import F, Q
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from billing.models.invoices import Invoice
from billing.models.ledger import CreditGrant


class Processor(models.TextChoices):
    """Who moves the money; each has a class in `billing/payments/`."""

    MANUAL = "manual", "Bank transfer"
    NULL = "null", "Pays at once (demo)"
    STRIPE = "stripe", "Stripe"


class PaymentState(models.TextChoices):
    PENDING = "pending", "Pending"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"


class Payment(models.Model):
    """One payment by a customer to a provider: of an invoice, or for credits where `invoice` is empty.

    `pending` -> `succeeded` or `failed`. A failed one may still succeed (a bank that changed its mind); one that
    succeeded stays so, and what was paid back of it stands in `refunded_amount`.
    """

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="received_payments", help_text="The provider."
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="payments")
    invoice = models.ForeignKey(
        Invoice,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payments",
        help_text="Empty = credits are bought.",
    )
    processor = models.CharField(max_length=10, choices=Processor)
    state = models.CharField(max_length=10, choices=PaymentState, default=PaymentState.PENDING)
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    refunded_amount = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    currency = models.CharField(max_length=3)
    reference = models.CharField(
        max_length=120, blank=True, help_text="The bank's or the processor's own name for it."
    )
    received_on = models.DateField(null=True, blank=True, help_text="When the money came in.")
    session_id = models.CharField(
        max_length=200, blank=True, editable=False, help_text="The processor's page where the customer pays."
    )
    url = models.URLField(max_length=2000, blank=True, editable=False)
    error = models.CharField(max_length=300, blank=True, help_text="Why the last attempt failed.")
    credit_grant = models.OneToOneField(
        CreditGrant,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="payment",
        help_text="Credits that came of it: bought ones, or what was paid too much.",
    )
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="payments")
    created_at = models.DateTimeField(default=now, editable=False)
    succeeded_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0, refunded_amount__lte=F("amount")),
                name="payment_refund_bounds",
            ),
            # one attempt at a time: two clicks on "Pay" are one payment
            models.UniqueConstraint(
                fields=["invoice"], condition=Q(state=PaymentState.PENDING), name="payment_pending_once"
            ),
            # noting the same bank transfer twice
            models.UniqueConstraint(
                fields=["invoice", "reference"],
                condition=Q(processor=Processor.MANUAL) & ~Q(reference=""),
                name="payment_reference_once",
            ),
        ]
        indexes = [
            # "whose is this event?"
            models.Index(fields=["processor", "reference"], name="payment_reference"),
            models.Index(fields=["processor", "session_id"], name="payment_session"),
            # a customer's payments, newest first
            models.Index(fields=["customer", "organization", "-created_at"], name="payment_customer"),
        ]

    def __str__(self) -> str:
        return f"Payment {self.id} of {self.customer}"


class Refund(models.Model):
    """Money paid back of a payment. Pending until the processor says that it is done."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="refunds")
    payment = models.ForeignKey(Payment, on_delete=models.PROTECT, related_name="refunds")
    state = models.CharField(max_length=10, choices=PaymentState, default=PaymentState.PENDING)
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    reason = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=120, blank=True)
    created_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="refunds")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive"),
            models.UniqueConstraint(
                fields=["payment"], condition=Q(state=PaymentState.PENDING), name="refund_pending_once"
            ),
        ]

    def __str__(self) -> str:
        return f"Refund of {self.payment}"


class PaymentMethod(models.Model):
    """A card or account that the customer left with a processor; we keep only its name there."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="customers_payment_methods"
    )
    customer = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="payment_methods")
    processor = models.CharField(max_length=10, choices=Processor)
    external_customer = models.CharField(max_length=120)
    external_method = models.CharField(max_length=120, blank=True, help_text="Empty = not set up yet.")
    label = models.CharField(max_length=80, blank=True, help_text="Such as Visa 4242.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer", "processor"], name="payment_method_once"
            )
        ]

    def __str__(self) -> str:
        return self.label or f"{self.customer} at {self.get_processor_display()}"


class PaymentEvent(models.Model):
    """A processor's message, kept so that a second delivery of it changes nothing."""

    organization = models.ForeignKey(
        Organization,
        null=True,
        on_delete=models.SET_NULL,
        related_name="payment_events",
        help_text="The provider, where the message is about a payment of ours.",
    )
    processor = models.CharField(max_length=10, choices=Processor)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=80)
    payment = models.ForeignKey(Payment, null=True, on_delete=models.SET_NULL, related_name="events")
    received_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-received_at"]
        constraints = [models.UniqueConstraint(fields=["processor", "event_id"], name="payment_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} ({self.event_id})"
