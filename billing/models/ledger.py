"""The ledger of what customers have paid in, were given, and used up: double entry, append only.

The database holds three rules itself (migration `ledger_holds`): a transaction's entries sum to zero, no grant
falls below zero, and no entry is ever changed or deleted.
"""

from django.db import models
from django.utils.timezone import now

from accounts.fields import ShortIdField
from accounts.models import Organization, User
from billing.models.invoices import Invoice


class AccountKind(models.TextChoices):
    """Whose side an amount lies on. Positive entries go into an account, negative ones come out of it."""

    CREDITS = "credits", "Credits that the customer still has"
    INVOICES = "invoices", "Settled on invoices"
    PAYMENTS = "payments", "Paid by the customer"
    PROMOTIONS = "promotions", "Given by the provider"
    CARRIED = "carried", "Owed back by corrections and credit notes"
    EXPIRED = "expired", "Expired or taken back"


class TransactionKind(models.TextChoices):
    GRANT = "grant", "Credits given"
    PURCHASE = "purchase", "Credits bought"
    CARRY = "carry", "Carried over"
    DRAW = "draw", "Used on an invoice"
    RETURN = "return", "Returned from a void invoice"
    EXPIRE = "expire", "Expired"
    REVOKE = "revoke", "Taken back"
    PAYMENT = "payment", "Invoice paid"
    CREDIT_NOTE = "credit_note", "Invoice reduced by a credit note"
    REFUND = "refund", "Paid back"


class LedgerAccount(models.Model):
    """One side of a customer's money with one provider in one currency. Its balance is the sum of its entries."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="ledger_accounts", help_text="The provider."
    )
    customer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="customer_ledger_accounts"
    )
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=12, choices=AccountKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "customer", "currency", "kind"], name="ledger_account_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.customer}, {self.currency}"


class GrantSource(models.TextChoices):
    PROMOTION = "promotion", "Given"
    PURCHASE = "purchase", "Bought"
    CARRIED = "carried", "Carried over"


class CreditGrant(models.Model):
    """Credits of one origin. Used in the order priority, expiry, start; what is left is the sum of its entries."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="credit_grants", help_text="The provider."
    )
    customer = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="received_credits")
    name = models.CharField(max_length=120)
    source = models.CharField(max_length=10, choices=GrantSource)
    currency = models.CharField(max_length=3)
    amount = models.DecimalField(max_digits=24, decimal_places=12)
    priority = models.PositiveSmallIntegerField(default=100, help_text="Lower numbers are used first.")
    starts_at = models.DateTimeField(default=now)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty = never.")
    spent_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set while nothing is left of it."
    )
    created_at = models.DateTimeField(default=now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(amount__gt=0), name="credit_grant_positive"),
            models.CheckConstraint(
                condition=models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=models.F("starts_at")),
                name="credit_grant_lasts",
            ),
        ]
        indexes = [
            # "what can be used for these customers?"
            models.Index(
                fields=["organization", "customer"],
                condition=models.Q(spent_at__isnull=True),
                name="credit_grant_open",
            ),
            # "what has expired?"
            models.Index(
                fields=["expires_at"], condition=models.Q(spent_at__isnull=True), name="credit_grant_expiry"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} for {self.customer}"


class LedgerTransaction(models.Model):
    """What happened, once: `reference` is unique for each provider, so that a repeat is noticed."""

    id = ShortIdField()
    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="ledger_transactions", help_text="The provider."
    )
    customer = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="customer_ledger_transactions"
    )
    currency = models.CharField(max_length=3)
    kind = models.CharField(max_length=12, choices=TransactionKind)
    reference = models.CharField(max_length=80, help_text="Such as draw:{invoice}.")
    description = models.CharField(max_length=200)
    invoice = models.ForeignKey(
        Invoice, null=True, blank=True, on_delete=models.PROTECT, related_name="ledger_transactions"
    )
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="ledger_transactions")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["organization", "reference"], name="ledger_transaction_once")
        ]
        indexes = [
            # a customer's movements, newest first
            models.Index(fields=["customer", "organization", "-at"], name="ledger_movements"),
        ]

    def __str__(self) -> str:
        return self.description


class LedgerEntry(models.Model):
    """One amount into (+) or out of (-) an account. Entries of `credits` accounts name their grant."""

    organization = models.ForeignKey(
        Organization, on_delete=models.PROTECT, related_name="ledger_entries", help_text="The provider."
    )
    transaction = models.ForeignKey(LedgerTransaction, on_delete=models.PROTECT, related_name="entries")
    account = models.ForeignKey(LedgerAccount, on_delete=models.PROTECT, related_name="entries")
    grant = models.ForeignKey(
        CreditGrant, null=True, blank=True, on_delete=models.PROTECT, related_name="entries"
    )
    amount = models.DecimalField(max_digits=24, decimal_places=12)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "ledger entries"
        constraints = [
            models.CheckConstraint(condition=~models.Q(amount=0), name="ledger_entry_not_zero"),
        ]

    def __str__(self) -> str:
        return f"{self.amount:+} on {self.account}"
