"""Credit notes: what a provider takes back of a finalized invoice. Written once; the database refuses changes."""

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from billing.models.invoices import Invoice, InvoiceLine
from billing.models.taxes import InvoiceTax


class CreditNote(models.Model):
    """`total` = `subtotal` + `tax_total`; `refunded` of it went to the customer's balance, the rest took off
    what the invoice still owed."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="issued_credit_notes"
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="credit_notes")
    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="credit_notes")
    number = models.PositiveIntegerField(help_text="Without gaps per provider, apart from its invoices.")
    reason = models.CharField(max_length=300)
    currency = models.CharField(max_length=3)
    subtotal = models.DecimalField(max_digits=24, decimal_places=12)
    tax_total = models.DecimalField(max_digits=24, decimal_places=12)
    total = models.DecimalField(max_digits=24, decimal_places=12)
    refunded = models.DecimalField(
        max_digits=24, decimal_places=12, help_text="What was paid already and goes back to the customer."
    )
    issued_at = models.DateTimeField(default=now)
    issued_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ["-issued_at", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "number"], name="credit_note_number_once"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("subtotal") + models.F("tax_total"), total__gt=0),
                name="credit_note_adds_up",
            ),
            models.CheckConstraint(
                condition=models.Q(refunded__gte=0, refunded__lte=models.F("total")),
                name="credit_note_refund_in_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"Credit note {self.label} to {self.customer}"

    @property
    def label(self) -> str:
        """`CN-2026-000003`: how people name it."""
        return f"CN-{self.issued_at:%Y}-{self.number:06d}"


class CreditNoteLine(models.Model):
    """What is taken back of one line of the invoice, or (without a line) of the invoice as a whole."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="credit_note_lines")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="lines")
    invoice_line = models.ForeignKey(
        InvoiceLine, null=True, on_delete=models.PROTECT, related_name="credited"
    )
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    amount = models.DecimalField(
        max_digits=24,
        decimal_places=12,
        help_text="As the invoice's lines: with the taxes contained in prices.",
    )

    class Meta:
        ordering = ["position"]

    def __str__(self) -> str:
        return f"{self.description}: {self.amount}"


class CreditNoteTax(models.Model):
    """The part of one of the invoice's taxes that is taken back."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="credit_note_taxes")
    credit_note = models.ForeignKey(CreditNote, on_delete=models.CASCADE, related_name="taxes")
    invoice_tax = models.ForeignKey(InvoiceTax, on_delete=models.PROTECT, related_name="credited")
    amount = models.DecimalField(max_digits=24, decimal_places=12)

    class Meta:
        ordering = ["invoice_tax__position"]
        constraints = [
            models.UniqueConstraint(fields=["credit_note", "invoice_tax"], name="credit_note_tax_once")
        ]

    def __str__(self) -> str:
        return f"{self.invoice_tax.label}: {self.amount}"
