"""What was planned for subscriptions and has come due: changes of plan, and ends."""

import logging
from datetime import datetime

from django.db.models import Q
from django.utils.timezone import now

from access.change_plan import apply_planned
from access.models import Subscription, SubscriptionState
from access.subscribe import end_planned

logger = logging.getLogger(__name__)


def apply_due(*, at: datetime | None = None) -> int:
    """Do all that is due, each in a transaction of its own; returns how many were done. Twice at once is safe."""
    at = at or now()
    changes = Q(next_plan_at__lte=at, next_plan_waits=False)
    due = Subscription.objects.filter(changes | Q(cancel_at__lte=at))
    done = 0
    for subscription in due.exclude(state=SubscriptionState.CANCELLED).order_by("pk").iterator():
        try:
            # what was planned to end does not change first
            done += end_planned(subscription=subscription, at=at) or apply_planned(
                subscription=subscription, at=at
            )
        except Exception:
            # one that fails must not keep the others waiting; it comes again
            logger.exception("what is planned for subscription %s could not be done", subscription.pk)
    return done
