"""The admin console of people, organizations, tokens, webhooks and the audit trail. All writes go through verbs."""

from accounts.admin import audit, branding, helping, organizations, people, tokens, webhooks

__all__ = ["audit", "branding", "helping", "organizations", "people", "tokens", "webhooks"]
