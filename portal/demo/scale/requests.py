"""The request log of the demo at scale: calls of the very operations that its usage counts."""

from collections.abc import Sequence
from datetime import datetime
from math import sqrt
from random import Random

from access.models import SubscriptionState
from apis.models import Operation
from apis.queries import stage_address
from portal.demo.requests import Source, write_requests
from portal.demo.scale.customers import Customers
from portal.demo.scale.provider import Offer
from portal.demo.scale.rhythm import Caller
from portal.demo.scale.usage import Group

_PER_SUBSCRIPTION = 20


def make_requests(
    *,
    offer: Offer,
    customers: Customers,
    callers: Sequence[Caller],
    groups: Sequence[Sequence[Group]],
    at: datetime,
    draw: Random,
) -> int:
    """Write some lines for each subscription, more for those that call more; returns how many."""
    plans = {each.pk: each for each in offer.plans.values()}
    addresses = {each.pk: stage_address(each) for each in offer.stages}
    operations = Operation.objects.filter(version__organization=offer.organization).in_bulk()
    sources = []
    for group in (each for mine in groups for each in mine):
        subscription, stage = customers.subscriptions[group.subscription], offer.stages[group.stage]
        if subscription.state != SubscriptionState.ACTIVE:
            continue
        operation = operations[offer.operations[stage.pk][group.operation]]
        sources.append(
            Source(
                subscription=subscription.pk,
                key=customers.keys[group.subscription].pk,
                plan=plans[subscription.plan_id],
                stage=stage.pk,
                address=addresses[stage.pk],
                operation=operation.pk,
                method=operation.method,
                path=operation.path,
                size=group.size,
                speed=group.speed,
                # so that small customers have some, too
                weight=sqrt(callers[group.subscription].daily),
            )
        )
    return write_requests(sources=sources, number=_PER_SUBSCRIPTION * len(callers), at=at, draw=draw)
