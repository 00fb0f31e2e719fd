"""Customers' credits, and what was settled of their invoices, by double entry (docs/payments.md)."""
