"""What it costs: rate cards, rating, invoices."""
