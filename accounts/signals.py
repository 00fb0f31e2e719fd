"""What this room announces. Receivers run inside the writer's transaction."""

from django.dispatch import Signal

# organization_ids: list[str] that were suspended or resumed. As developers: their subscriptions are (in)active;
# as providers: their stages are suspended or answer again.
organization_suspended_changed = Signal()
