"""Webhooks: what happens in an organization, told to its own programs by the Standard Webhooks rules."""
