"""The small demo's request log: there from the start, made once, and nobody's who has no key."""

from datetime import UTC, datetime

import pytest
from django.utils.timezone import now

from metering.models import RequestLine
from portal.demo.calls import log_some_calls
from tests.factories import (
    make_key,
    make_operation,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
)

pytestmark = pytest.mark.django_db


def test_a_demo_begins_with_some_calls_and_never_adds_to_real_ones() -> None:
    stage = make_stage()
    for path in ("/get", "/bytes/{n}", "/elsewhere"):
        make_operation(stage.version, path=path, key_required=True)
    subscription = make_subscription(
        plan=make_plan(stage, throttle_rate=5, throttle_burst=10, quota_limit=1_000)
    )
    make_key(subscription.application)
    customers = [subscription.organization, make_organization()]
    at = now()
    assert log_some_calls(stage=stage, customers=customers, at=at) == 240
    lines = RequestLine.objects.filter(organization_id=stage.organization_id)
    assert lines.filter(at__lte=at, developer_id=subscription.organization_id).count() > 200
    assert not lines.filter(path__contains="elsewhere").exists()
    assert not lines.filter(path__contains="{").exists()
    refused = lines.filter(verdict="THROTTLED").first()
    assert refused.why == "plan 5 10"
    assert refused.limit_left.startswith('"plan";r=0;t=1, "quota";r=')
    assert log_some_calls(stage=stage, customers=customers, at=at) == 0
    assert lines.count() == 240


def test_where_no_log_is_kept_there_is_none(settings: object) -> None:
    settings.REQUEST_LOG_KEEP_DAYS = 0
    subscription = make_subscription()
    stage = subscription.plan.stages.first()
    at = datetime(2026, 11, 20, tzinfo=UTC)
    assert log_some_calls(stage=stage, customers=[subscription.organization], at=at) == 0
