"""Invoices recomputed from hour records, and what anybody needs to do the same. See docs/proof.md."""
