from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from access.models import ApiKey
from metering import partitions
from metering.models import UsageDay, UsageHour, UsageMinute
from metering.rebuild import rebuild
from tests.factories import make_key, make_stage, make_subscription
from tests.metering.factories import NOON, make_row, use

TABLES = (UsageMinute, UsageHour, UsageDay)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def kept_for_ever(settings: Any) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS = 0


def everything() -> list[list[dict[str, Any]]]:
    return [list(table.objects.order_by(*table.DIMENSIONS).values()) for table in TABLES]


def some_use() -> None:
    stage, subscription = make_stage(), make_subscription()
    key, _ = make_key(subscription.application)
    for hours in (0, 1, 11, 12, 30):
        at = NOON + timedelta(hours=hours)
        row = make_row(stage, subscription=subscription.pk, key=key.pk, calls=3, minute=at)
        use(row, make_row("nostage001"), make_row(stage, canary=True, cache_hits=1, minute=at))
        use(row)


def spoil() -> None:
    UsageHour.objects.filter(at=NOON).update(calls=999)
    UsageHour.objects.filter(at=NOON + timedelta(hours=12)).delete()
    UsageDay.objects.update(latency_ms=1, http_requests=0)


def test_hours_and_days_are_made_from_minutes_and_again_the_same() -> None:
    some_use()
    before = everything()
    spoil()
    assert everything() != before
    for _ in range(2):
        call_command("rebuild_usage", "--from=2026-11-18", "--to=2026-11-20")
        assert everything() == before


def test_minutes_are_made_from_batches_also_for_what_was_deleted_since() -> None:
    some_use()
    ApiKey.objects.all().delete()
    before = everything()
    UsageMinute.objects.filter(at__gt=NOON).update(calls=1)
    spoil()
    assert rebuild(start=NOON + timedelta(days=1), end=NOON + timedelta(days=2), from_batches=True) == 2
    assert everything()[0][-1] == before[0][-1]


def test_other_days_are_left_alone() -> None:
    some_use()
    spoil()
    call_command("rebuild_usage", "--from=2026-11-19", "--to=2026-11-20")
    assert UsageHour.objects.get(at=NOON, canary=False).calls == 999


def test_what_is_no_longer_kept_is_not_rebuilt(settings: Any) -> None:
    settings.USAGE_KEEP_MINUTES_DAYS = 45
    assert partitions.kept_from(UsageMinute, at=NOON) is not None
    with pytest.raises(CommandError, match="are no longer kept"):
        call_command("rebuild_usage", "--from=2020-01-01", "--to=2020-01-02")
    settings.USAGE_KEEP_MINUTES_DAYS = 0
    with pytest.raises(CommandError, match="Batches are not kept"):
        call_command("rebuild_usage", "--from=2020-01-01", "--to=2020-01-02", "--from-batches")
    with pytest.raises(CommandError, match="is not a day"):
        call_command("rebuild_usage", "--from=yesterday", "--to=2020-01-02")
