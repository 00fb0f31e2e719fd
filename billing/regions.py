"""An API's region stays once its use is priced: it would move counts of months that are rated already."""

from datetime import timedelta
from typing import Any

from django.db.models import Q
from django.dispatch import receiver
from django.utils.timezone import now

from access.models import PlanStage, Subscription, SubscriptionState
from accounts.errors import Refused
from apis.models import Api
from apis.signals import region_changing
from billing.models import PlanPrice
from metering.models import UsageDay

# the running month and the two before, whose late counts are billed still
BILLED_STILL = timedelta(days=93)


@receiver(region_changing)
def keep_region(api: Api, **_: Any) -> None:
    """Refused(field `region`) if a priced subscription may call the API, or if calls of it may be billed still."""
    if not PlanPrice.objects.filter(organization=api.organization_id).exists():
        return
    since = now() - BILLED_STILL
    if _is_sold(api, since) or _was_called(api, since):
        raise Refused(
            "Use of this API is billed by its region, so that another one would rate the running month anew. Make "
            "another API in the new region, open it in the plans, and retire this one.",
            field="region",
            code="in_use",
        )


def _is_sold(api: Api, since: Any) -> bool:
    plans = PlanStage.objects.filter(stage__version__api=api, plan__price__isnull=False).values("plan")
    living = Q(ended_at=None) | Q(ended_at__gt=since)
    found = Subscription.objects.filter(living, plan__in=plans).exclude(state=SubscriptionState.PENDING)
    return found.exists()


def _was_called(api: Api, since: Any) -> bool:
    used = UsageDay.objects.filter(organization_id=api.organization_id, at__gte=since, api_id=api.pk)
    return used.exclude(subscription_id="").exists()
