"""What billing keeps, one file a topic."""

from billing.models.credit_notes import (
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
)
from billing.models.invoices import (
    FinalizedInvoiceError,
    Invoice,
    InvoiceLine,
    InvoiceState,
    refuse_if_frozen,
)
from billing.models.ledger import (
    AccountKind,
    CreditGrant,
    GrantSource,
    LedgerAccount,
    LedgerEntry,
    LedgerTransaction,
    TransactionKind,
)
from billing.models.parties import (
    BillingProfile,
    CustomerTerms,
    TaxTreatment,
)
from billing.models.rate_cards import (
    Meter,
    PlanPrice,
    Price,
    PricingModel,
    RateCard,
)
from billing.models.taxes import (
    InvoiceTax,
    TaxRate,
    TaxRateCustomer,
)

__all__ = [
    "AccountKind",
    "BillingProfile",
    "CreditGrant",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteTax",
    "CustomerTerms",
    "FinalizedInvoiceError",
    "GrantSource",
    "Invoice",
    "InvoiceLine",
    "InvoiceState",
    "InvoiceTax",
    "LedgerAccount",
    "LedgerEntry",
    "LedgerTransaction",
    "Meter",
    "PlanPrice",
    "Price",
    "PricingModel",
    "RateCard",
    "TaxRate",
    "TaxRateCustomer",
    "TaxTreatment",
    "TransactionKind",
    "refuse_if_frozen",
]
