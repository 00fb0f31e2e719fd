"""Usage that is sealed, and invoices made from it."""

from datetime import datetime, timedelta

from access.models import Subscription
from metering.chain.seal import seal_pending
from metering.models import UsageMark
from tests.billing.factories import use


def use_sealed(subscription: Subscription, at: datetime, calls: int, *, seal: bool = True, **fields) -> None:
    """Use it, as metering counts it, and seal the hour."""
    use(subscription, at, calls, **fields)
    hour = at.replace(minute=0, second=0, microsecond=0)
    UsageMark.objects.get_or_create(organization_id=subscription.organization_id, at=hour, claimed=False)
    if seal:
        seal_pending(at=hour + timedelta(hours=1))
