"""Limits by REST: operations of plans, remaining calls, keys' networks, the installation."""

import pytest

from nodes.models import Entry, QuotaWindow
from tests.factories import (
    make_api,
    make_application,
    make_key,
    make_operation,
    make_plan,
    make_stage,
    make_subscription,
    make_version,
)
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def plan(alice):
    stage = make_stage(make_version(make_api(alice.organization)))
    return make_plan(stage, throttle_rate=5, throttle_burst=10, quota_limit=100)


def test_an_operation_gets_a_limit_of_its_own_and_loses_it(alice, plan):
    stage = plan.stages.get()
    operation = make_operation(stage.version, path="/dear")
    made = alice.made(
        "plan-throttles",
        {"plan": plan.pk, "stage": stage.pk, "operation": operation.pk, "rate": 1, "burst": 2},
    )
    entry = Entry.objects.get(kind="plan", key=plan.pk)
    assert entry.data["operation_throttles"] == {stage.pk: {operation.pk: {"rate": 1.0, "burst": 2}}}
    alice.patch(f"plan-throttles/{made['id']}", {"rate": 9, "burst": 9})
    assert alice.get("plan-throttles", plan=plan.pk).json()["results"][0]["rate"] == 9.0
    notes = alice.get(f"usage-plans/{plan.pk}").json()["notes"]
    assert notes == ["The 9 calls a second for GET /dear are above the plan's 5, which hold."]
    assert alice.delete(f"plan-throttles/{made['id']}").status_code == 204
    assert "operation_throttles" not in Entry.objects.get(kind="plan", key=plan.pk).data


def test_half_a_limit_is_refused_at_its_field(alice, plan):
    stage = plan.stages.get()
    body = {"plan": plan.pk, "stage": stage.pk, "rate": 0, "burst": 5}
    fault(alice.post("plan-throttles", body), "burst")
    fault(alice.post("plan-throttles", {"plan": plan.pk, "stage": stage.pk, "rate": 5}), "burst", "required")
    elsewhere = make_stage(make_version(make_api(alice.organization)))
    fault(alice.post("plan-throttles", body | {"stage": elsewhere.pk, "burst": 0}), "stage")
    fault(alice.patch(f"usage-plans/{plan.pk}", {"quota_offset": 101}), "quota_offset")
    fault(alice.patch(f"usage-plans/{plan.pk}", {"quota_scope": "caller"}), "quota_scope")


def test_the_provider_sets_the_remaining_calls_and_the_developer_does_not(alice, charlie, plan):
    subscription = make_subscription(make_application(charlie.organization), plan)
    alice.done(f"subscriptions/{subscription.pk}/set-remaining", {"remaining": 7})
    assert QuotaWindow.objects.get().extra == 7 - 100
    problem(charlie.post(f"subscriptions/{subscription.pk}/set-remaining", {"remaining": 7}), 403)
    fault(alice.post(f"subscriptions/{subscription.pk}/set-remaining", {"remaining": -1}), "remaining")
    fault(alice.post(f"subscriptions/{subscription.pk}/set-remaining", {}), "remaining", "required")


def test_the_provider_names_the_key_where_each_has_a_quota(alice, charlie, plan):
    alice.patch(f"usage-plans/{plan.pk}", {"quota_scope": "key"})
    subscription = make_subscription(make_application(charlie.organization), plan)
    key, stranger = make_key(subscription.application)[0], make_key()[0]
    path = f"subscriptions/{subscription.pk}/set-remaining"
    alice.done(path, {"remaining": 7, "key": key.pk})
    assert QuotaWindow.objects.get().key == key
    fault(alice.post(path, {"remaining": 7}), "key")
    fault(alice.post(path, {"remaining": 7, "key": stranger.pk}), "key")


def test_a_key_says_where_it_may_be_used(alice):
    application = make_application(alice.organization)
    made = alice.made(
        "keys",
        {"application": application.pk, "name": "ci", "ips": ["203.0.113.7"], "referrers": ["*.Example.com"]},
    )
    assert (made["ips"], made["referrers"]) == (["203.0.113.7/32"], ["*.example.com"])
    entry = Entry.objects.get(kind="key")
    assert (entry.data["ips"], entry.data["referrers"]) == (["203.0.113.7/32"], ["*.example.com"])
    fault(alice.patch(f"keys/{made['id']}", {"ips": ["203.0.113.7/24"]}), "ips")
    fault(alice.patch(f"keys/{made['id']}", {"referrers": ["https://example.com/x"]}), "referrers")
    assert alice.patch(f"keys/{made['id']}", {"ips": []}).json()["ips"] == []


def test_the_installation_is_limited_by_its_staff(alice, staff):
    problem(alice.get("installation"), 403)
    problem(alice.patch("installation", {"throttle_rate": 5, "throttle_burst": 5}), 403)
    assert staff.get("installation").json() == {"throttle_rate": None, "throttle_burst": None}
    fault(staff.patch("installation", {"throttle_rate": 5}), "throttle_burst")
    wanted = {"throttle_rate": 500.0, "throttle_burst": 1_000}
    assert staff.patch("installation", wanted).json() == wanted
    assert Entry.objects.get(kind="installation").data == {"throttle": {"rate": 500.0, "burst": 1_000}}
    staff.patch("installation", {"throttle_rate": None, "throttle_burst": None})
    assert Entry.objects.get(kind="installation").data is None
