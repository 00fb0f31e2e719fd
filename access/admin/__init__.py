"""The admin console of plans, applications, subscriptions and keys. All writes go through verbs."""

from access.admin import applications, customers, keys, plans, subscriptions

__all__ = ["applications", "customers", "keys", "plans", "subscriptions"]
