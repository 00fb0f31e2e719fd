"""The admin console of plans, applications, subscriptions and keys. All writes go through verbs."""

from access.admin import applications, keys, plans, subscriptions

__all__ = ["applications", "keys", "plans", "subscriptions"]
