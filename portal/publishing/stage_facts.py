"""What hangs on stages and versions: who subscribes, said before somebody clicks."""

from collections.abc import Collection
from typing import NamedTuple

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Count

from access.models import Subscription, SubscriptionState
from apis.models import Stage


class Subscribers(NamedTuple):
    """How many active subscriptions and organizations plans bring to some stages."""

    subscriptions: int
    organizations: int
    plans: list[str]

    @property
    def words(self) -> str:
        """`3 active subscriptions of 2 organizations, on Free and Pro`; `nobody subscribes to it`."""
        if not self.subscriptions:
            return "nobody subscribes to it"
        one = self.subscriptions == 1
        who = "1 organization" if self.organizations == 1 else f"{self.organizations} organizations"
        named = " and ".join([", ".join(self.plans[:-1]), self.plans[-1]] if self.plans[1:] else self.plans)
        return f"{self.subscriptions} active subscription{'' if one else 's'} of {who}, on {named}"


def subscribers_of(stages: Collection[Stage]) -> Subscribers:
    """Return who may call any of these stages. One query."""
    living = Subscription.objects.filter(plan__stages__in=stages, state=SubscriptionState.ACTIVE).order_by()
    counted = living.aggregate(
        all=Count("pk", distinct=True),
        whose=Count("organization", distinct=True),
        names=ArrayAgg("plan__name", distinct=True, default=[]),
    )
    return Subscribers(counted["all"], counted["whose"], sorted(counted["names"])[:5])
