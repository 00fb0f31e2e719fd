"""The admin console's pages for billing."""

from billing.admin_invoices import InvoiceAdmin
from billing.admin_rate_cards import PlanPriceAdmin, RateCardAdmin

__all__ = ["InvoiceAdmin", "PlanPriceAdmin", "RateCardAdmin"]
