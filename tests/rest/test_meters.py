"""`meters`, `meter-events`, `billable-rules`."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now

from metering.models import MeterEvent
from tests.factories import (
    make_api,
    make_application,
    make_member,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)
from tests.rest.problems import fault, problem

ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"


@pytest.fixture
def subscription(alice, charlie):
    """Charlie's subscription to a plan of Alice, who counts tokens."""
    alice.made("meters", {"code": "tokens", "name": "Tokens", "unit": "token"})
    stage = make_stage(make_version(make_api(alice.organization)))
    plan = make_plan(stage)
    return make_subscription(
        make_application(charlie.organization), plan, started_at=now() - timedelta(days=9)
    )


def event(subscription, number=1, **fields):
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "jobs",
        "type": "tokens",
        "subject": subscription.pk,
        "data": {"value": "2.5"},
    } | fields


def send(who, body, content_type=ONE, **headers):
    return who.client.generic(
        "POST", "/api/v1/meter-events", json.dumps(body).encode(), content_type, headers=headers
    )


def test_an_event_counts_once_and_shows_on_both_sides(alice, charlie, subscription):
    first = send(alice, event(subscription))
    assert (first.status_code, first.json()) == (
        201,
        {"accepted": 1, "repeated": 0, "results": ["accepted"]},
    )
    again = send(alice, event(subscription), "application/json")
    assert (again.status_code, again.json()["results"]) == (200, ["repeated"])
    for who, side in ((alice, "provider"), (charlie, "developer")):
        (found,) = who.get("usage", side=side).json()["meters"]
        assert (found["meter"], found["name"], found["unit"]) == ("tokens", "Tokens", "token")
        assert Decimal(found["value"]) == Decimal("2.5")
    assert alice.get("usage", subscription=subscription.pk).json()["meters"]
    assert alice.get("usage", key="abcdefghij").json()["meters"] == []


def test_a_batch_answers_for_each_event(alice, subscription):
    body = [event(subscription, number) for number in (1, 2, 1)]
    answer = send(alice, body, MANY)
    assert answer.json() == {"accepted": 2, "repeated": 1, "results": ["accepted", "accepted", "repeated"]}


def test_binary_mode_has_the_attributes_in_headers(alice, subscription):
    names = ("specversion", "id", "source", "type", "subject")
    headers = {f"ce-{name}": event(subscription)[name] for name in names}
    headers["ce-time"] = now().isoformat()
    answer = send(alice, {"value": 7}, "application/json", **headers)
    assert answer.status_code == 201
    assert MeterEvent.objects.get().value == "7"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"specversion": "0.3"}, "events[1].specversion"),
        ({"data": {}}, "events[1].data.value"),
        ({"data": {"value": "x"}}, "events[1].data.value"),
        ({"data": {"value": True}}, "events[1].data.value"),
        ({"subject": "nobody0001"}, "events[1].subject"),
        ({"type": "nothing"}, "events[1].type"),
        ({"time": "yesterday"}, "events[1].time"),
        ({"time": "2020-01-01T00:00:00Z"}, "events[1].time"),
    ],
)
def test_the_fault_is_named_and_nothing_counts(alice, subscription, change, field):
    answer = send(alice, [event(subscription), event(subscription, 2, **change)], MANY)
    assert fault(answer, field)
    assert not MeterEvent.objects.exists()


def test_a_batch_that_is_none_or_too_long_is_refused(alice, subscription):
    assert send(alice, event(subscription), MANY).status_code == 422
    assert fault(send(alice, [event(subscription)] * 1_001, MANY), "events")


def test_only_the_provider_sends_events_of_its_meters(charlie, subscription):
    assert fault(send(charlie, event(subscription)), "events[0].type")


def test_a_meter_is_changed_and_archived(alice, subscription):
    (meter,) = alice.get("meters", code="tokens").json()["results"]
    assert alice.patch(f"meters/{meter['id']}", {"name": "AI tokens"}).json()["name"] == "AI tokens"
    assert fault(alice.patch(f"meters/{meter['id']}", {"code": "other"}), "code", "unknown_field")
    assert alice.done(f"meters/{meter['id']}/archive")["archived_at"]
    assert fault(send(alice, event(subscription)), "events[0].type")


def test_a_rule_is_set_and_withdrawn(alice):
    rule = alice.made(
        "billable-rules",
        {"verdicts": [""], "status_classes": [2], "effective_from": "2099-01-01T00:00:00Z"},
    )
    assert alice.get("billable-rules").json()["count"] == 1
    assert alice.delete(f"billable-rules/{rule['id']}").status_code == 204
    past = {"verdicts": [""], "status_classes": [2], "effective_from": "2020-01-01T00:00:00Z"}
    assert fault(alice.post("billable-rules", past), "effective_from")


def test_members_without_the_right_set_no_rule(program, alice):
    member = make_member(alice.organization, role="member").user
    body = {"verdicts": [""], "status_classes": [2]}
    problem(program(alice.organization, member).post("billable-rules", body), 403)
