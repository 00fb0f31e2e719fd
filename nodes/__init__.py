"""Where the halves meet: node tokens, entries for agents, quota leases, usage intake."""
