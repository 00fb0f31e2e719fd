"""Lines of the request log come in once each, with whose call it was; what makes no sense is left out."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connection
from django.utils.timezone import now

from gateway import request_log as contract
from metering.models import RequestLine
from metering.partitions import KINDS, maintain, partitions
from metering.request_log.take import NAMES, take_lines
from tests.factories import make_key, make_plan, make_stage, make_subscription
from tests.metering.factories import log_call, make_line

pytestmark = pytest.mark.django_db
NODE = "nodea00001"


def test_both_sides_have_the_same_fields_in_the_same_order():
    assert NAMES == contract.NAMES


def test_a_line_is_completed_with_provider_and_developer():
    subscription = make_subscription(plan=make_plan(make_stage()))
    stage = subscription.plan.stages.get()
    key, _ = make_key(subscription.application)
    log_call(stage, subscription=subscription.pk, key=key.pk, query="a=***", why="plan 5 10")
    line = RequestLine.objects.get()
    assert (line.organization_id, line.developer_id) == (stage.organization_id, subscription.organization_id)
    assert (line.api_id, line.version_id) == (stage.version.api_id, stage.version_id)
    assert (line.application_id, line.node_id) == (subscription.application_id, NODE)
    assert (line.query, line.why, line.address) == ("a=***", "plan 5 10", "192.0.2.7")


def test_a_refused_key_belongs_to_its_organization():
    key, _ = make_key()
    log_call(make_stage(), key=key.pk, verdict="INVALID_API_KEY", why="REVOKED", status=403)
    assert RequestLine.objects.get().developer_id == key.organization_id


def test_a_repeat_adds_nothing():
    line = make_line(make_stage())
    assert [take_lines(node_id=NODE, lines=[line, line]) for _ in range(2)] == [2, 2]
    assert RequestLine.objects.count() == 1


def test_what_makes_no_sense_is_left_out_and_the_rest_is_kept():
    stage = make_stage()
    good = make_line(stage, path="/a\0b\t\\N\n", latency_ms=10**12)
    odd = [
        make_line(stage, id="nonsense"),
        make_line(stage, at=(now() - timedelta(days=8)).timestamp()),
        make_line(stage, at=(now() + timedelta(days=1)).timestamp()),
        make_line(stage, status="many"),
        make_line(stage, host=None),
        make_line("unknown001"),
        make_line(stage)[:-1],
        {"id": str(uuid4())},
    ]
    assert take_lines(node_id=NODE, lines=[*odd, good]) == 1
    assert RequestLine.objects.get().path == "/a?b\t\\N\n"


def test_a_call_that_reached_no_stage_is_kept_for_the_staff():
    log_call("", verdict="MISSING_AUTHENTICATION_TOKEN", status=403)
    assert RequestLine.objects.get().organization_id == ""


def test_nothing_is_taken_where_nothing_is_kept(settings):
    settings.REQUEST_LOG_KEEP_DAYS = 0
    assert take_lines(node_id=NODE, lines=[make_line(make_stage())]) == 0
    assert not RequestLine.objects.exists()


def test_days_that_are_over_are_dropped_whole(settings):
    stage, at = make_stage(), now()
    old = log_call(stage, at=at - timedelta(days=3))
    new = log_call(stage, at=at)
    kind = next(each for each in KINDS if each.model is RequestLine)
    maintain(at=at)
    assert len(partitions(kind)) == 4  # that day's, today's, and two ahead
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {kind.rest}")  # noqa: S608
        assert cursor.fetchone() == (0,)
    settings.REQUEST_LOG_KEEP_DAYS = 1
    maintain(at=at)
    assert {line.id for line in RequestLine.objects.all()} == {new}
    assert old != new
