"""What this room announces. Receivers run inside the writer's transaction."""

from django.dispatch import Signal

# Argument `organization_ids` (list of str): those that were suspended or resumed. As developers, their
# subscriptions stop or work again; as providers, their stages do.
organization_suspended_changed = Signal()
