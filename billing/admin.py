"""The admin console's pages for billing."""

from billing.admin_budgets import BudgetAdmin
from billing.admin_documents import CreditNoteAdmin
from billing.admin_invoices import InvoiceAdmin
from billing.admin_overrides import PriceOverrideAdmin
from billing.admin_payments import (
    CreditGrantAdmin,
    CustomerTermsAdmin,
    DunningHoldAdmin,
    DunningNoticeAdmin,
    LedgerTransactionAdmin,
    PaymentAdmin,
)
from billing.admin_rate_cards import PlanPriceAdmin, RateCardAdmin
from billing.admin_runs import BillingRunAdmin
from billing.admin_taxes import BillingProfileAdmin, TaxRateAdmin
from billing.admin_versions import RateCardVersionAdmin

__all__ = [
    "BillingProfileAdmin",
    "BillingRunAdmin",
    "BudgetAdmin",
    "CreditGrantAdmin",
    "CreditNoteAdmin",
    "CustomerTermsAdmin",
    "DunningHoldAdmin",
    "DunningNoticeAdmin",
    "InvoiceAdmin",
    "LedgerTransactionAdmin",
    "PaymentAdmin",
    "PlanPriceAdmin",
    "PriceOverrideAdmin",
    "RateCardAdmin",
    "RateCardVersionAdmin",
    "TaxRateAdmin",
]
