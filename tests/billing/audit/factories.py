"""Usage that is sealed, and invoices made from it."""

from datetime import datetime, timedelta
from itertools import count

from access.models import Subscription
from metering.chain.seal import seal_pending
from metering.events import Event, take_events
from metering.models import UsageMark
from tests.billing.factories import use

_numbers = count(1)


def use_sealed(subscription: Subscription, at: datetime, calls: int, *, seal: bool = True, **fields) -> None:
    """Use it, as metering counts it, and seal the hour."""
    use(subscription, at, calls, **fields)
    hour = at.replace(minute=0, second=0, microsecond=0)
    UsageMark.objects.get_or_create(organization_id=subscription.organization_id, at=hour, claimed=False)
    if seal:
        seal_pending(at=hour + timedelta(hours=1))


def count_sealed(subscription: Subscription, at: datetime, *, seal: bool = True, **values: object) -> None:
    """Report an event for each meter=value of the subscription's provider, and seal the hour."""
    events = [
        Event(f"e{next(_numbers)}", "tests", meter, subscription.pk, str(value), at)
        for meter, value in values.items()
    ]
    assert all(take_events(organization=subscription.provider, events=events, at=at))
    if seal:
        seal_pending(at=at + timedelta(hours=1))
