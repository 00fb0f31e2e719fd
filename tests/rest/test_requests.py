"""`requests` and `requests/{id}`."""

from uuid import uuid4

import pytest

from billing.rate_cards import price_plan
from tests.billing.factories import make_rate_card, subscribed
from tests.factories import make_api, make_key, make_plan, make_stage, make_version
from tests.metering.factories import log_call


@pytest.fixture
def subscription(alice, charlie):
    """Charlie's subscription to Alice's priced plan."""
    plan = make_plan(make_stage(make_version(make_api(alice.organization))))
    price_plan(plan=plan, rate_card=make_rate_card(alice.organization), actor=None)
    return subscribed(plan, charlie.organization)


@pytest.fixture
def call(subscription):
    key, _ = make_key(subscription.application)
    stage = subscription.plan.stages.get()
    return log_call(stage, subscription=subscription.pk, key=key.pk, path="/orders/1")


def test_both_sides_see_the_call_and_what_it_cost(alice, charlie, call, subscription):
    for who in (alice, charlie):
        (line,) = who.get("requests").json()["results"]
        assert (line["id"], line["path"], line["outcome"]) == (str(call), "/orders/1", "answered")
        assert line["subscription"] == subscription.pk
        told = who.get(f"requests/{call}").json()
        assert told["request"]["id"] == str(call)
        assert told["billable"] is True
        assert told["cost"]["currency"] == "USD"
        assert {step["state"] for step in told["steps"]} <= {"passed", "not used"}
    # as a developer Alice made none, and as a provider Charlie sold none
    for who, side in ((alice, "developer"), (charlie, "provider")):
        assert who.get("requests", side=side).json()["results"] == []
        assert who.get(f"requests/{call}", side=side).status_code == 404
    assert charlie.get("requests", organization=alice.organization.pk).status_code == 422


def test_filters_and_pages(alice, call, subscription):
    stage = subscription.plan.stages.get()
    log_call(stage, status=403, verdict="INVALID_API_KEY", why="MISSING")
    assert len(alice.get("requests", outcome="refused").json()["results"]) == 1
    assert alice.get("requests", status="4xx", api="abcdefghij").json()["results"] == []
    first = alice.get("requests", limit=1).json()
    second = alice.get("requests", limit=1, before=first["older"]).json()
    assert {first["results"][0]["status"], second["results"][0]["status"]} == {200, 403}
    assert second["older"] == ""
    assert alice.get("requests", side="developer").json()["results"] == []


def test_what_cannot_be_asked_is_refused(alice):
    assert alice.get("requests", status="40").status_code == 422
    assert alice.get("requests", outcom="refused").status_code == 422
    assert alice.get(f"requests/{uuid4()}").status_code == 404
