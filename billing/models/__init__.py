"""What billing keeps, one file a topic."""

from billing.models.alerts import Budget, BudgetAlert
from billing.models.credit_notes import (
    CreditNote,
    CreditNoteLine,
    CreditNoteTax,
)
from billing.models.dunning import (
    DunningHold,
    DunningNotice,
    DunningStep,
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
from billing.models.payments import (
    Payment,
    PaymentEvent,
    PaymentMethod,
    PaymentState,
    Processor,
    Refund,
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
    "Budget",
    "BudgetAlert",
    "CreditGrant",
    "CreditNote",
    "CreditNoteLine",
    "CreditNoteTax",
    "CustomerTerms",
    "DunningHold",
    "DunningNotice",
    "DunningStep",
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
    "Payment",
    "PaymentEvent",
    "PaymentMethod",
    "PaymentState",
    "PlanPrice",
    "Price",
    "PricingModel",
    "Processor",
    "RateCard",
    "Refund",
    "TaxRate",
    "TaxRateCustomer",
    "TaxTreatment",
    "TransactionKind",
    "refuse_if_frozen",
]
