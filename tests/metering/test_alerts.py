"""Alerts: one notice when a threshold is crossed for long enough, one when that is over."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail

from access.models import ApiKey
from accounts.errors import Refused
from accounts.models import WebhookEvent
from accounts.webhooks.endpoints import create_endpoint
from metering.alert_check import check_alerts
from metering.alerts import change_alert, create_alert, delete_alert
from metering.models import UsageAlert
from tests.factories import make_application, make_key, make_plan, make_stage, make_subscription
from tests.metering.factories import NOON, make_batch, make_row, send, use

pytestmark = pytest.mark.django_db


def make_alert(stage: Any, **fields: Any) -> UsageAlert:
    given = {"name": "Errors", "metric": "share_5xx", "threshold": 5, "minutes": 3} | fields
    return create_alert(organization=stage.organization, actor=None, **given)


def minute(stage: Any, number: int, good: int, bad: int = 0) -> None:
    """Calls of the minute so many minutes after noon."""
    at = NOON + timedelta(minutes=number)
    groups = [make_row(stage, minute=at, calls=good)] if good else []
    use(*groups, *([make_row(stage, minute=at, calls=bad, status_class=5)] if bad else []))


def after(number: int) -> list[tuple[bool, float | None]]:
    """What is told when that minute is over."""
    at = NOON + timedelta(minutes=number + 1, seconds=20)
    return [(notice.resolved, notice.value) for notice in check_alerts(at=at)]


def test_a_crossing_is_told_once_and_its_end_once(django_capture_on_commit_callbacks: Any) -> None:
    stage = make_stage()
    create_endpoint(organization=stage.organization, url="http://127.0.0.1:9/", actor=None)
    stage.organization.billing_email = "ops@example.com"
    stage.organization.save()
    make_alert(stage)
    with django_capture_on_commit_callbacks(execute=True):
        for number, bad in enumerate((10, 10, 10, 10, 10, 0, 10, 0, 0, 0, 0)):
            minute(stage, number, 90, bad)
        assert [after(number) for number in range(11)] == [
            [], [], [(False, 10.0)], [], [], [], [], [], [], [(True, 0.0)], [],
        ]  # fmt: skip
    assert [each.subject for each in mail.outbox] == [
        "[Gatehouse] Alert: Errors",
        "[Gatehouse] Resolved: Errors",
    ]
    assert "was for 3 min above 5; in the last minute it was 10." in mail.outbox[0].body
    kinds = WebhookEvent.objects.order_by("at").values_list("type", flat=True)
    assert list(kinds) == ["usage_alert.crossed", "usage_alert.resolved"]


def test_silence_is_calls_below_and_no_share_of_errors() -> None:
    stage = make_stage()
    make_alert(stage)
    make_alert(stage, name="Silence", metric="calls", threshold=1, below=True, minutes=1)
    minute(stage, 0, 5)
    assert after(0) == []
    assert after(1) == [(False, 0.0)]


@pytest.mark.parametrize(
    ("metric", "threshold", "told"),
    [("calls", 99, True), ("calls", 100, False), ("p90", 11, True), ("integration_average", 11, False),
     ("bytes_out", 1, True), ("cache_hits", 1, False)],
)  # fmt: skip
def test_each_metric_is_measured(metric: str, threshold: int, told: bool) -> None:
    stage = make_stage()
    make_alert(stage, metric=metric, threshold=threshold, minutes=1)
    minute(stage, 0, 100)
    assert bool(after(0)) is told


def test_an_alert_looks_at_its_part_alone() -> None:
    stage = make_stage()
    other = make_stage(stage.version, name="beta")
    make_alert(stage, scope="stage", about=other.pk, metric="calls", threshold=1, minutes=1)
    minute(stage, 0, 50)
    assert after(0) == []
    minute(other, 1, 50)
    assert after(1) == [(False, 50.0)]


def test_nothing_is_judged_while_counts_are_behind() -> None:
    stage = make_stage()
    make_alert(stage, metric="calls", threshold=1, minutes=1, below=True)
    send(make_batch(make_row(stage)))
    assert after(5) == []


def test_a_changed_threshold_is_judged_anew_and_a_deleted_alert_is_silent() -> None:
    stage = make_stage()
    alert = make_alert(stage, metric="calls", threshold=1, minutes=1)
    minute(stage, 0, 50)
    assert after(0) == [(False, 50.0)]
    alert = change_alert(alert=UsageAlert.objects.get(), threshold=2, actor=None)
    assert after(0) == [(False, 50.0)]
    delete_alert(alert=alert, actor=None)
    assert after(0) == []


def test_only_ones_own_things_can_be_watched() -> None:
    mine, others = make_stage(), make_stage()
    customer = make_application()
    make_subscription(customer, make_plan(others))
    key: ApiKey = make_key(customer)[0]
    for scope, about in (("stage", others.pk), ("api", others.version.api_id), ("key", key.pk),
                         ("developer", customer.organization_id), ("operation", "nothing")):  # fmt: skip
        with pytest.raises(Refused) as refused:
            make_alert(mine, scope=scope, about=about)
        assert refused.value.field == "about"
    assert make_alert(others, scope="key", about=key.pk).about == key.pk


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"threshold": "much"}, "threshold"), ({"threshold": -1}, "threshold"), ({"minutes": 0}, "minutes"),
     ({"minutes": 61}, "minutes"), ({"metric": "mood"}, "metric"), ({"scope": "planet", "about": "x"}, "scope"),
     ({"scope": "api"}, "about"), ({"name": ""}, "name")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(Refused) as refused:
        make_alert(make_stage(), **fields)
    assert refused.value.field == field
