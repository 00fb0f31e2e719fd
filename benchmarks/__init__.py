"""What the gate costs, measured beside plain nginx."""
