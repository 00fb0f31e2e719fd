"""Invoices and their lines. Money is Decimal."""

from decimal import Decimal
from typing import Any

from django.db import models
from django.utils.timezone import now

from access.models import Subscription
from accounts.fields import ShortIdField
from accounts.models import Organization
from billing.currencies import round_money
from metering.packed import PackedJSONField


class InvoiceState(models.TextChoices):
    DRAFT = "draft", "Draft"
    FINALIZED = "finalized", "Finalized"
    PAID = "paid", "Paid"
    VOID = "void", "Void"


class FinalizedInvoiceError(Exception):
    """Something tried to change an invoice that is finalized. Void it and bill again instead."""


def refuse_if_frozen(invoice_id: str) -> None:
    """Raise FinalizedInvoiceError unless the stored invoice is a draft."""
    if Invoice.objects.filter(pk=invoice_id).exclude(state=InvoiceState.DRAFT).exists():
        raise FinalizedInvoiceError(f"Invoice {invoice_id} is finalized and never changes.")


class Invoice(models.Model):
    """What a developer's organization owes a provider for a period. Frozen once finalized."""

    id = ShortIdField()
    # its own index would be one more to write: those below begin with it
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="issued_invoices", db_index=False
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    number = models.PositiveIntegerField(
        null=True, help_text="Without gaps per provider; given when finalized."
    )
    state = models.CharField(max_length=10, choices=InvoiceState, default=InvoiceState.DRAFT)
    month_start = models.DateTimeField(help_text="Start of the calendar month that it bills.")
    part = models.PositiveSmallIntegerField(
        default=1, help_text="1 = the month's first invoice; later ones bill the difference."
    )
    period_start = models.DateTimeField()
    period_end = models.DateTimeField(help_text="Exclusive.")
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, help_text="The lines' sum, without the tax in it."
    )
    tax_total = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    total = models.DecimalField(max_digits=24, decimal_places=12, default=0, help_text="Subtotal and tax.")
    amount_due = models.DecimalField(
        max_digits=24, decimal_places=12, default=0, help_text="Still to be paid, after credits and payments."
    )
    due_at = models.DateTimeField(null=True, blank=True, help_text="Payment is late after this moment.")
    frozen = PackedJSONField(
        default=dict, help_text="Copies of provider, customer, plans and prices as billed."
    )
    created_at = models.DateTimeField(default=now, editable=False)
    finalized_at = models.DateTimeField(null=True, blank=True)
    paid_at = models.DateTimeField(null=True, blank=True)
    voided_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    # What may still change once finalized; the database trigger `invoice_stays` holds the same list.
    MUTABLE = frozenset({"state", "paid_at", "voided_at", "amount_due", "mailed_at"})

    class Meta:
        ordering = ["-period_end", "-number", "-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer", "currency", "month_start", "part"],
                name="invoice_once",
            ),
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_number_once"),
            models.CheckConstraint(
                condition=models.Q(state=InvoiceState.DRAFT, number__isnull=True, finalized_at__isnull=True)
                | (
                    ~models.Q(state=InvoiceState.DRAFT)
                    & models.Q(number__isnull=False, finalized_at__isnull=False)
                ),
                name="invoice_number_when_final",
            ),
            models.CheckConstraint(
                condition=models.Q(total=models.F("subtotal") + models.F("tax_total")),
                name="invoice_total_adds_up",
            ),
        ]
        indexes = [
            # "was this month closed for these customers?"
            models.Index(fields=["organization", "month_start", "customer"], name="invoice_month"),
            # "which were issued lately and not sent yet?"
            models.Index(
                fields=["finalized_at"], name="invoice_to_mail", condition=models.Q(mailed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"Invoice {self.number or 'draft'} to {self.customer}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write it, unless that would change a finalized invoice (raises FinalizedInvoiceError)."""
        fields = kwargs.get("update_fields")
        if not self._state.adding and not (fields and set(fields) <= self.MUTABLE):
            refuse_if_frozen(self.pk)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        refuse_if_frozen(self.pk)
        return super().delete(*args, **kwargs)

    @property
    def is_frozen(self) -> bool:
        """Whether its contents may no longer change."""
        return self.state != InvoiceState.DRAFT

    @property
    def rounded_total(self) -> Decimal:
        """The total with the currency's decimals, for pages."""
        return round_money(self.total, self.currency)

    @property
    def label(self) -> str:
        """`2026-000012`, or `draft`: how people name it."""
        return f"{self.finalized_at:%Y}-{self.number:06d}" if self.finalized_at else "draft"


class PartOfInvoice(models.Model):
    """A row that is frozen with its invoice."""

    invoice_id: str

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        refuse_if_frozen(self.invoice_id)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        refuse_if_frozen(self.invoice_id)
        return super().delete(*args, **kwargs)


class InvoiceLine(PartOfInvoice):
    """One line: a base fee, the units of one meter in one tier, a discount, a minimum or a maximum.

    `amount` = `quantity` (or `packages`) × `unit_price` + `flat_fee`, rounded to the currency's decimals; in a
    month's later invoice it is the difference of two such sums (docs/billing.md). `item` tells which line of
    the month's bill it is: all lines of one item, month and customer add up.
    """

    # never asked for by it: lines are read by invoice
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="invoice_lines", db_index=False
    )
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    subscription = models.ForeignKey(
        Subscription,
        null=True,
        on_delete=models.PROTECT,
        related_name="invoice_lines",
        help_text="Empty = several share it; `breakdown` has their parts.",
    )
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    month_start = models.DateTimeField(
        help_text="Start of the calendar month that the line bills: an earlier one for late counts."
    )
    item = models.CharField(
        max_length=200, default="", help_text="Such as usage:{card}.{version}:requests::1."
    )
    meter = models.CharField(max_length=40, blank=True, help_text="Empty = a fee.")
    tier = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="From 1; 0 = free units or not charged; empty = a fee."
    )
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    packages = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        null=True,
        help_text="What is priced, where the price is a package's.",
    )
    unit_price = models.DecimalField(max_digits=24, decimal_places=12)
    flat_fee = models.DecimalField(max_digits=24, decimal_places=12, default=0)
    amount = models.DecimalField(
        max_digits=24, decimal_places=12, help_text="Rounded once to the currency's decimals."
    )
    breakdown = models.JSONField(
        default=dict,
        help_text="Subscription id -> [units, money] as text, where several share the line. They add up to it.",
    )

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.description}: {self.amount}"
