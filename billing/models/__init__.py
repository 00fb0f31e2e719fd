"""What billing keeps, one file a topic."""

from billing.models.invoices import (
    FinalizedInvoiceError,
    Invoice,
    InvoiceLine,
    InvoiceState,
    refuse_if_frozen,
)
from billing.models.rate_cards import Meter, PlanPrice, Price, PricingModel, RateCard

__all__ = [
    "FinalizedInvoiceError",
    "Invoice",
    "InvoiceLine",
    "InvoiceState",
    "Meter",
    "PlanPrice",
    "Price",
    "PricingModel",
    "RateCard",
    "refuse_if_frozen",
]
