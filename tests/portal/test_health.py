"""Availability and latency of APIs over the last 24 hours."""

from datetime import timedelta

import pytest
from django.core.cache import cache

from metering.health import health_of
from portal.health import shown_health
from tests.factories import make_mapping, make_stage
from tests.metering.factories import NOON, in_bucket, make_row, use
from tests.portal.factories import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept():
    cache.clear()


def health(*stages, at=NOON + timedelta(minutes=5)):
    apis = [(each.version.api_id, each.organization_id) for each in stages]
    found = health_of(apis, at)
    return [found.get(pk) for pk, _ in apis]


def test_availability_is_the_share_without_5xx_and_latencies_are_percentiles():
    busy, idle = make_stage(), make_stage()
    use(
        make_row(busy, calls=90, latency_counts=in_bucket(12, 90)),
        make_row(busy, calls=8, status_class=4, verdict="THROTTLED", latency_counts=in_bucket(12, 8)),
        make_row(busy, calls=2, status_class=5, latency_counts=in_bucket(700, 2)),
        make_row(busy, calls=50, minute=NOON - timedelta(hours=25), status_class=5),
    )
    found, nothing = health(busy, idle)
    assert (found.calls, found.availability) == (100, 0.98)
    assert 10 < found.p50 <= found.p95 <= 15
    assert nothing is None
    assert health(busy, at=NOON + timedelta(hours=25)) == [None]


def test_many_apis_take_one_query(django_assert_num_queries):
    stages = [make_stage() for _ in range(3)]
    use(*(make_row(each) for each in stages))
    with django_assert_num_queries(1):
        assert all(health(*stages))
    with django_assert_num_queries(0):
        assert health_of([], NOON) == {}


@pytest.mark.parametrize(
    ("failed", "label", "availability"),
    [
        (0, "Operational", "100 %"),
        (1, "Operational", "99.90 %"),
        (50, "Degraded", "95.00 %"),
        (500, "Failing", "50.00 %"),
    ],
)
def test_the_pages_say_it_in_words(monkeypatch, failed, label, availability):
    stage = make_mapping().stage
    rows = [make_row(stage, calls=1000 - failed), make_row(stage, calls=failed, status_class=5)]
    use(*rows[: 2 if failed else 1])
    monkeypatch.setattr("portal.health.now", lambda: NOON + timedelta(minutes=5))
    body = signed_in(None).get(f"/apis/{stage.version.api.slug}/").content.decode()
    assert label in body
    assert availability in body
    assert label in signed_in(None).get("/").content.decode()


def test_no_calls_are_no_outage():
    stage = make_mapping().stage
    body = signed_in(None).get(f"/apis/{stage.version.api.slug}/").content.decode()
    assert "No calls yet" in body
    assert "Availability" not in body


def test_what_was_asked_is_kept_for_a_minute(django_assert_num_queries):
    api = make_stage().version.api
    shown_health([api])
    with django_assert_num_queries(0):
        assert shown_health([api])[api.pk].label == "No calls yet"
