"""What this room announces. Receivers run inside the writer's transaction.

A signal is sent by the verb that made the change, once, after its writes; `nodes` turns it into entries.
"""

from django.dispatch import Signal

# plan_ids: list[str]
plans_changed = Signal()
# subscription_ids: list[str]
subscriptions_changed = Signal()
# key_ids: list[str]
keys_changed = Signal()
