"""What this room announces. Receivers run inside the writer's transaction.

A signal is sent by the verb that made the change, once, after its writes; `nodes` turns it into entries.
"""

from django.dispatch import Signal

# Argument `plan_ids` (list of str): plans that were made, changed or deleted.
plans_changed = Signal()
# Argument `subscription_ids` (list of str): made, or of another state, or their application is. Which
# subscriptions the keys of their applications have may have changed with them.
subscriptions_changed = Signal()
# Argument `change` (PlanChange): a subscription is on another plan now. Sent before `subscriptions_changed`.
plan_of_subscription_changed = Signal()
# Argument `key_ids` (list of str): keys that were made or changed.
keys_changed = Signal()
