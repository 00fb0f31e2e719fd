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
from billing.models.overrides import PriceOverride
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
from billing.models.rate_cards import PlanPrice, PlanPriceChange, RateCard, TiersOver
from billing.models.runs import BillingChunk, BillingRun, ChunkState, RunState
from billing.models.sales import SalesSnapshot
from billing.models.taxes import (
    InvoiceTax,
    TaxRate,
    TaxRateCustomer,
)
from billing.models.versions import Meter, Price, PricingModel, Proration, RateCardVersion

__all__ = [
    "AccountKind",
    "BillingChunk",
    "BillingProfile",
    "BillingRun",
    "Budget",
    "BudgetAlert",
    "ChunkState",
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
    "PlanPriceChange",
    "Price",
    "PriceOverride",
    "PricingModel",
    "Processor",
    "Proration",
    "RateCard",
    "RateCardVersion",
    "Refund",
    "RunState",
    "SalesSnapshot",
    "TaxRate",
    "TaxRateCustomer",
    "TaxTreatment",
    "TiersOver",
    "TransactionKind",
]
