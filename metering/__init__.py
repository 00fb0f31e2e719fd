"""How much was used: batches, minute, hour and day records, queries."""
