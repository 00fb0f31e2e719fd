"""Cache-hours: hours in which a stage's cache is on, for each active subscription whose plan opens the stage."""

from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils.timezone import now

from access.models import Subscription
from apis.models import Stage
from apis.stage_policies import caches
from metering import locks
from metering.chain.marks import mark_hours
from metering.models import MeterRecord
from metering.pieces import floor

METER = "cache_hours"
_CHUNK = 5_000


def count_cache_hours(*, at: datetime | None = None) -> int:
    """Note the running hour (UTC) for every subscription that has a cached stage now; returns how many are new.

    Any part of an hour counts whole, as AWS has it. Run every few minutes: what is noted already is left alone, so it
    may run as often as one likes. An hour in which nothing ran is not counted.
    """
    moment = (at or now()).astimezone(UTC)
    hour = floor(moment, 3_600)
    cached = {
        stage.pk: stage.version.api_id
        for stage in Stage.objects.select_related("deployment", "version").filter(deployment__isnull=False)
        if caches(stage)
    }
    if not cached:
        return 0
    there = MeterRecord.objects.filter(meter=METER, at=hour)
    noted = set(there.values_list("subscription_id", "part"))
    rows = [
        MeterRecord(
            organization_id=provider,
            developer_id=developer,
            application_id=application,
            subscription_id=pk,
            api_id=cached[stage],
            meter=METER,
            part=stage,
            at=hour,
            value=1,
            last_at=moment,
        )
        for pk, provider, developer, application, stage in _callers(cached, hour, moment)
        if (pk, stage) not in noted
    ]
    with transaction.atomic():
        # counts and their marks are there together before a seal looks (metering/chain/seal.py)
        locks.hold_together()
        MeterRecord.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_CHUNK)
        mark_hours({(row.developer_id, row.at) for row in rows})
    return len(rows)


def _callers(cached: dict[str, str], hour: datetime, moment: datetime) -> list[tuple[str, ...]]:
    """Return (subscription, provider, developer, application, stage) of those with one of the stages."""
    ended_in_it = Q(state="cancelled", ended_at__gte=hour, ended_at__lt=hour + timedelta(hours=1))
    active = Subscription.objects.filter(Q(state="active") | ended_in_it, started_at__lte=moment)
    opened = active.filter(plan__plan_stages__stage_id__in=cached).order_by("pk")
    return list(
        opened.values_list(
            "pk", "provider_id", "organization_id", "application_id", "plan__plan_stages__stage_id"
        ).distinct()
    )
