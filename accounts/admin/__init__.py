"""The admin console of people, organizations, tokens and the audit trail. All writes go through verbs."""

from accounts.admin import audit, organizations, people, tokens

__all__ = ["audit", "organizations", "people", "tokens"]
