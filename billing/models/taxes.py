"""Tax rates of a provider, and the taxes on its invoices."""

from decimal import Decimal

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization
from billing.models.invoices import Invoice, PartOfInvoice


class TaxRate(models.Model):
    """One tax that a provider charges: where, on whom, and when. All rates that fit a customer are charged."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="tax_rates")
    name = models.CharField(max_length=60, help_text="As printed, such as VAT.")
    percent = models.DecimalField(max_digits=9, decimal_places=6, help_text="Such as 19 or 8.875.")
    inclusive = models.BooleanField(
        default=False, help_text="Prices contain this tax already; else it is added to them."
    )
    country = models.CharField(
        max_length=2, blank=True, help_text="Customers of this country (ISO 3166-1); empty = of all."
    )
    region = models.CharField(
        max_length=50, blank=True, help_text="Customers of this state or province only, such as CA."
    )
    customers: models.ManyToManyField = models.ManyToManyField(
        Organization,
        through="billing.TaxRateCustomer",
        through_fields=("tax_rate", "customer"),
        related_name="+",
        blank=True,
        help_text="Only these customers, wherever they are; none = by country and region.",
    )
    reverse_charge_note = models.CharField(
        max_length=200,
        blank=True,
        help_text="Printed for customers under reverse charge; empty = the usual words.",
    )
    valid_from = models.DateTimeField(null=True, blank=True, help_text="Empty = always was.")
    valid_until = models.DateTimeField(null=True, blank=True, help_text="Exclusive; empty = no end.")
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["organization", "country", "region", "name", "created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(percent__gte=0, percent__lte=100), name="tax_rate_percent_in_bounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.percent.normalize():f} %"


class TaxRateCustomer(models.Model):
    """A customer that a tax rate was chosen for."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    tax_rate = models.ForeignKey(TaxRate, on_delete=models.CASCADE, related_name="chosen")
    customer = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tax_rate", "customer"], name="tax_rate_customer_once")
        ]

    def __str__(self) -> str:
        return f"{self.tax_rate} for {self.customer}"


class InvoiceTax(PartOfInvoice):
    """One rate's tax on an invoice, rounded once; a copy that later changes of the rate leave alone."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invoice_taxes")
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="taxes")
    tax_rate = models.ForeignKey(
        TaxRate, null=True, on_delete=models.PROTECT, related_name="charged", help_text="Empty = exempt."
    )
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=60)
    percent = models.DecimalField(max_digits=9, decimal_places=6)
    inclusive = models.BooleanField()
    base = models.DecimalField(max_digits=24, decimal_places=12, help_text="The net amount that is taxed.")
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    note = models.CharField(max_length=200, blank=True, help_text="Why nothing is charged.")

    class Meta:
        ordering = ["position"]
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="invoice_tax_once")]

    def __str__(self) -> str:
        return f"{self.label}: {self.amount}"

    @property
    def label(self) -> str:
        """`VAT 19 %`; the name alone where nothing is charged."""
        if self.note:
            return self.name
        return f"{self.name} {Decimal(self.percent).normalize():f} %"
