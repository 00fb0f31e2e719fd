"""What this room announces. Receivers run inside the writer's transaction."""

from django.dispatch import Signal

# Argument `organization_ids` (list of str): those that were suspended or resumed. As developers, their
# subscriptions stop or work again; as providers, their stages do.
organization_suspended_changed = Signal()
# Argument `organization_ids` (list of str): those that have another name.
organization_changed = Signal()
# Argument `token_ids` (list of str): API tokens that were made, or that may have come to life or ended.
tokens_changed = Signal()
