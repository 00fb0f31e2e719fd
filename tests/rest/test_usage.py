"""`usage` and `usage/estimate`."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from tests.billing.factories import make_priced_plan, make_rate_card, subscribed, use
from tests.factories import make_api
from tests.rest.problems import fault


@pytest.fixture
def subscription(alice, charlie):
    """Charlie's subscription to Alice's priced plan, with 300 calls and 3 refused ones."""
    make_api(alice.organization)
    found = subscribed(make_priced_plan(make_rate_card(alice.organization)), charlie.organization)
    use(found, now(), 300, 2048)
    use(found, now(), 3, verdict="THROTTLED")
    return found


def test_both_sides_see_the_same_calls(alice, charlie, subscription):
    for who, side in ((alice, "provider"), (charlie, "developer")):
        found = who.get("usage", by="application").json()
        assert (found["side"], found["organization"]) == (side, who.organization.pk)
        totals = found["summary"]
        assert (totals["calls"], totals["accepted"], totals["errors_4xx"]) == (303, 300, 3)
        assert totals["bytes_out"] == 2048
        assert sum(bucket["calls"] for bucket in found["series"]) == 303
        (part,) = found["breakdown"]
        assert (part["id"], part["calls"]) == (subscription.application_id, 303)
        assert part["name"] == subscription.application.name
        assert found["behind_seconds"] == 0


def test_each_dimension_breaks_it_down(alice, subscription):
    for by in ("api", "version", "operation", "stage", "key", "status", "application", "developer"):
        found = alice.get("usage", by=by).json()
        assert found["by"] == by
        assert sum(part["calls"] for part in found["breakdown"]) == 303
    assert {part["id"] for part in alice.get("usage", by="verdict").json()["breakdown"]} == {"", "THROTTLED"}


def test_canary_and_cache_are_told(alice, subscription):
    found = alice.get("usage", by="canary").json()
    assert [(part["id"], part["calls"]) for part in found["breakdown"]] == [("base", 303)]
    totals = found["summary"]
    assert (totals["cache_hits"], totals["cache_misses"], totals["cache_hit_rate"]) == (0, 0, None)


def test_usage_is_narrowed_to_parts_and_to_a_span(alice, subscription):
    assert alice.get("usage", subscription=subscription.pk).json()["summary"]["calls"] == 303
    assert alice.get("usage", subscription="abcdefghij").json()["summary"]["calls"] == 0
    early = now() - timedelta(days=10)
    span = {"start": early.isoformat(), "end": (early + timedelta(days=2)).isoformat(), "step": "day"}
    found = alice.get("usage", **span).json()
    assert found["summary"]["calls"] == 0
    assert len(found["series"]) == 3
    assert alice.get("usage", side="developer").json()["summary"]["calls"] == 0


def test_staff_see_everybodys_usage_unless_they_name_one(staff, alice, subscription):
    found = staff.get("usage").json()
    assert (found["side"], found["organization"], found["summary"]["calls"]) == (None, None, 303)
    found = staff.get("usage", organization=alice.organization.pk).json()
    assert (found["side"], found["summary"]["calls"]) == ("provider", 303)


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"by": "colour"}, "by"),
        ({"step": "year"}, "step"),
        ({"start": "yesterday"}, "start"),
        ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, "start"),
        ({"limit": 0}, "limit"),
        ({"setp": "day"}, "setp"),
        ({"key": "gh_live_aaaaaaaaaaaaaa"}, "key"),
    ],
)
def test_a_wrong_parameter_is_named(alice, parameters, field):
    fault(alice.get("usage", **parameters), field)


def test_a_misspelled_parameter_gets_its_near_match(alice):
    message = fault(alice.get("usage", setp="day"), "setp", "unknown_parameter")
    assert "Did you mean `step`?" in message


def test_a_span_that_is_too_long_is_refused_or_made_coarser(alice):
    response = alice.get("usage", start="0001-01-01T00:00:00Z", step="minute")
    assert response.status_code in (200, 422)


def test_the_estimate_is_told_line_by_line(alice, charlie, subscription):
    owed = charlie.get("usage/estimate").json()["owed"]
    (item,) = owed["subscriptions"]
    assert (item["subscription"], item["requests"]) == (subscription.pk, 300)
    lines = {line["meter"]: line for line in item["lines"]}
    assert lines["requests"]["quantity"] == "300"
    assert lines["requests"]["unit_price"] == "0.0000035"
    sold = alice.get("usage/estimate").json()["sold"]
    assert sold["customers"][0]["customer_name"] == "Charlie's"


def test_usage_and_estimate_take_constant_queries(alice, charlie, subscription):
    def count(path):
        with CaptureQueriesContext(connection) as caught:
            assert alice.get(path, **({"by": "application"} if path == "usage" else {})).status_code == 200
        return len(caught)

    alice.get("usage")  # the first use of a token is noted
    one = {path: count(path) for path in ("usage", "usage/estimate")}
    for number in range(2):
        more = subscribed(make_priced_plan(make_rate_card(alice.organization, name=f"{number}")))
        use(more, now(), 5)
    assert {path: count(path) for path in one} == one
    assert max(one.values()) <= 22
