"""The demo's request log at its start, so that its pages have something to look at."""

from collections.abc import Sequence
from datetime import datetime
from random import Random

from access.models import KeyState, SubscriptionState
from accounts.models import Organization
from apis.models import Stage
from apis.queries import stage_address
from metering.models import RequestLine
from portal.demo.requests import Source, write_requests

# path -> the answer's bytes, and how long the backend takes for it in ms
_PATHS = {
    "/get": (420, 4),
    "/json": (610, 3),
    "/headers": (300, 3),
    "/uuid": (210, 2),
    "/post": (700, 6),
    "/anything": (560, 5),
    "/bytes/{n}": (5_000, 9),
    "/image/png": (8_300, 14),
}
_CALLS = 240


def log_some_calls(*, stage: Stage, customers: Sequence[Organization], at: datetime) -> int:
    """Write lines of calls that the customers might have made; none while the provider's log has any."""
    if RequestLine.objects.filter(organization_id=stage.organization_id).exists():
        return 0
    draw = Random(stage.pk)  # noqa: S311 -- believable, not secret
    sources = [source for each in customers for source in _sources(stage, each)]
    return write_requests(sources=sources, number=_CALLS, at=at, draw=draw)


def _sources(stage: Stage, customer: Organization) -> list[Source]:
    rows = customer.subscriptions.select_related("plan").filter(plan__stages=stage)
    subscription = rows.filter(state=SubscriptionState.ACTIVE).first()
    key = customer.api_keys.filter(state=KeyState.ACTIVE).first()
    if subscription is None or key is None:
        return []
    operations = stage.version.operations.filter(
        path__in=_PATHS, method__in=("GET", "POST"), removed_at=None, key_required=True
    )
    return [
        Source(
            subscription=subscription.pk,
            key=key.pk,
            plan=subscription.plan,
            stage=stage.pk,
            address=stage_address(stage),
            operation=each.pk,
            method=each.method,
            path=each.path,
            size=_PATHS[each.path][0],
            speed=_PATHS[each.path][1],
            weight=1,
        )
        for each in operations
    ]
