"""Rate cards, which plan uses which, and invoices. Money is Decimal; prices keep 12 decimals."""

from django.db import models
from django.utils.timezone import now

from access.models import Subscription, UsagePlan
from accounts.fields import ShortIdField
from accounts.models import Organization


class Meter(models.TextChoices):
    """What is counted, and the unit a price is for."""

    REQUESTS = "requests", "Requests"
    BYTES_OUT = "bytes_out", "Data out (GiB)"


class PricingModel(models.TextChoices):
    GRADUATED = "graduated", "Graduated: each unit at the price of its tier"


class RateCard(models.Model):
    """Prices by meter."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="rate_cards"
    )
    name = models.CharField(max_length=80)
    currency = models.CharField(max_length=3, default="USD")
    base_fee = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, help_text="For each subscription and month."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="rate_card_name_once")
        ]

    def __str__(self) -> str:
        return self.name


class Price(models.Model):
    """The price of one meter on a rate card."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="prices")
    rate_card = models.ForeignKey(RateCard, on_delete=models.CASCADE, related_name="prices")
    meter = models.CharField(max_length=20, choices=Meter)
    model = models.CharField(
        max_length=12, choices=PricingModel, default=PricingModel.GRADUATED
    )
    free_units = models.DecimalField(
        max_digits=30, decimal_places=12, default=0, help_text="Free each period, before the tiers."
    )
    tiers = models.JSONField(
        help_text='[{"up_to": "333000000" or null, "unit_price": "0.0000035", "flat_fee": "0"}]; '
        "decimals as text; up_to is inclusive; the last is null."
    )

    class Meta:
        ordering = ["meter"]
        constraints = [
            models.UniqueConstraint(fields=["rate_card", "meter"], name="price_once")
        ]

    def __str__(self) -> str:
        return f"{self.rate_card}: {self.get_meter_display()}"


class PlanPrice(models.Model):
    """Which rate card a usage plan is billed by. A plan without one is free."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="plan_prices"
    )
    plan = models.OneToOneField(UsagePlan, on_delete=models.CASCADE, related_name="price")
    rate_card = models.ForeignKey(RateCard, on_delete=models.PROTECT, related_name="plans")

    def __str__(self) -> str:
        return f"{self.plan} by {self.rate_card}"


class InvoiceState(models.TextChoices):
    DRAFT = "draft", "Draft"
    FINALIZED = "finalized", "Finalized"
    PAID = "paid", "Paid"
    VOID = "void", "Void"


class Invoice(models.Model):
    """What a developer's organization owes a provider for a period. Frozen once finalized."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="issued_invoices"
    )
    customer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="invoices"
    )
    number = models.PositiveIntegerField(
        null=True, help_text="Without gaps per provider; given when finalized."
    )
    state = models.CharField(max_length=10, choices=InvoiceState, default=InvoiceState.DRAFT)
    period_start = models.DateTimeField()
    period_end = models.DateTimeField(help_text="Exclusive.")
    currency = models.CharField(max_length=3)
    total = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    frozen = models.JSONField(
        default=dict, help_text="Copies of provider, customer, plans and prices as billed."
    )
    created_at = models.DateTimeField(default=now, editable=False)
    finalized_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-period_start", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer", "currency", "period_start"],
                condition=~models.Q(state=InvoiceState.VOID),
                name="invoice_once",
            ),
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_number_once"),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.number or 'draft'} to {self.customer}"


class InvoiceLine(models.Model):
    """One line: a base fee, or the units of one meter in one tier for one subscription."""

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invoice_lines"
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.PROTECT, related_name="invoice_lines"
    )
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    meter = models.CharField(max_length=20, blank=True, help_text="Empty = a fee.")
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    unit_price = models.DecimalField(max_digits=24, decimal_places=12)
    amount = models.DecimalField(
        max_digits=24, decimal_places=12, help_text="Rounded once to the currency's decimals."
    )

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.description}: {self.amount}"
