"""How organizations appear on invoices, and on what terms a provider bills a customer."""

from django.db import models

from accounts.fields import ShortIdField
from accounts.models import Organization


class BillingProfile(models.Model):
    """Name, address and tax ids of an organization, as its invoices print them. Its own people edit it."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, related_name="billing_profile"
    )
    legal_name = models.CharField(
        max_length=200, blank=True, help_text="As registered; empty = the organization's name."
    )
    address = models.TextField(max_length=500, blank=True, help_text="Street, postal code and town, by line.")
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166-1, such as DE.")
    region = models.CharField(max_length=50, blank=True, help_text="State or province, such as CA.")
    tax_ids = models.JSONField(
        default=list, blank=True, help_text='[{"kind": "VAT ID", "value": "DE123456789"}]'
    )
    payment_instructions = models.TextField(
        max_length=2000, blank=True, help_text="As a provider: how to pay, such as bank and account number."
    )
    logo = models.TextField(blank=True, help_text="As a provider: a PNG or JPEG as data: URI, up to 100 KiB.")

    def __str__(self) -> str:
        return self.legal_name or str(self.organization)


class TaxTreatment(models.TextChoices):
    STANDARD = "standard", "Taxed"
    REVERSE_CHARGE = "reverse_charge", "Reverse charge: the customer accounts for the tax"
    EXEMPT = "exempt", "Exempt"


class CustomerTerms(models.Model):
    """What a provider agreed with one customer. No row = the usual terms."""

    id = ShortIdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="terms_given")
    customer = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="terms_received")
    due_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Days to pay; empty = those of the installation."
    )
    tax_treatment = models.CharField(max_length=20, choices=TaxTreatment, default=TaxTreatment.STANDARD)
    tax_note = models.CharField(
        max_length=200,
        blank=True,
        help_text="Printed where no tax is charged, such as the certificate's number.",
    )
    credit_only = models.BooleanField(
        default=False, help_text="Prepaid: calls stop when the credits are used up."
    )
    dunning_exempt = models.BooleanField(
        default=False, help_text="Late payment neither warns nor suspends this customer."
    )

    class Meta:
        verbose_name_plural = "customer terms"
        constraints = [
            models.UniqueConstraint(fields=["organization", "customer"], name="customer_terms_once")
        ]

    def __str__(self) -> str:
        return f"Terms of {self.organization} for {self.customer}"
