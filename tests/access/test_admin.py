"""The admin console of plans, applications, subscriptions and keys."""

import pytest
from django.contrib.messages import get_messages

from access.change_plan import change_plan
from access.models import ApiKey, Application, PlanThrottle, Subscription, UsagePlan
from access.subscribe import cancel
from tests.factories import (
    audit_actions,
    make_application,
    make_key,
    make_operation,
    make_organization,
    make_plan,
    make_staff,
    make_stage,
    make_subscription,
)

pytestmark = pytest.mark.django_db
PLAN = {
    "name": "Free",
    "throttle_rate": "5",
    "throttle_burst": "10",
    "quota_limit": "1000",
    "quota_period": "MONTH",
    "quota_offset": "0",
    "quota_scope": "subscription",
    "quota_offline_allowance": "100",
    "counters_on_change": "keep",
    "request_log": "errors",
    "visibility": "public",
    "position": "0",
    "operation_throttles-TOTAL_FORMS": "0",
    "operation_throttles-INITIAL_FORMS": "0",
}


@pytest.fixture
def staff(client):
    client.force_login(make_staff())
    return client


def shown(response):
    return [str(message) for message in get_messages(response.wsgi_request)]


def errors(response):
    return response.context["adminform"].form.errors


def act(client, room, action, *rows):
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return client.post(f"/admin/access/{room}/", data)


def test_every_list_and_page_opens_and_is_searched(staff):
    subscription = make_subscription(plan=make_plan(throttle_rate=5, throttle_burst=10, quota_limit=9))
    key, _ = make_key(subscription.application)
    rows = {
        "usageplan": subscription.plan,
        "application": subscription.application,
        "subscription": subscription,
        "apikey": key,
    }
    for room, row in rows.items():
        listing = staff.get(f"/admin/access/{room}/?q=a")
        assert listing.status_code == 200
        assert staff.get(f"/admin/access/{room}/{row.pk}/change/").status_code == 200
        assert staff.get(f"/admin/access/{room}/add/").status_code == 200


@pytest.mark.parametrize("room", ["usageplan", "application", "subscription", "apikey"])
def test_a_list_costs_the_same_however_many(staff, room, django_assert_max_num_queries):
    for _ in range(4):
        make_key(make_subscription().application)
    staff.get("/admin/")  # the first page writes down the browser's session, too
    with django_assert_max_num_queries(12):
        assert staff.get(f"/admin/access/{room}/").status_code == 200


def test_a_plan_is_made_with_its_stages(staff):
    stage = make_stage()
    response = staff.post(
        "/admin/access/usageplan/add/", PLAN | {"organization": stage.organization_id, "opens": [stage.pk]}
    )
    assert response.status_code == 302, errors(response)
    plan = UsagePlan.objects.get()
    assert (plan.throttle_rate, plan.quota_limit, list(plan.stages.all())) == (5.0, 1000, [stage])
    assert audit_actions() == ["plan.created"]


def test_a_half_set_throttle_is_an_error_at_its_field(staff):
    organization = make_organization()
    response = staff.post(
        "/admin/access/usageplan/add/", PLAN | {"organization": organization.pk, "throttle_burst": ""}
    )
    assert "needs a burst" in str(errors(response)["throttle_burst"])
    assert UsagePlan.objects.count() == 0


def test_a_strange_stage_is_an_error_at_its_field(staff):
    response = staff.post(
        "/admin/access/usageplan/add/",
        PLAN | {"organization": make_organization().pk, "opens": [make_stage().pk]},
    )
    assert "own organization" in str(errors(response)["opens"])


def test_a_plan_is_changed_through_the_verb(staff):
    plan = make_plan()
    stages = [stage.pk for stage in plan.stages.all()]
    response = staff.post(f"/admin/access/usageplan/{plan.pk}/change/", PLAN | {"opens": stages})
    assert response.status_code == 302, errors(response)
    plan.refresh_from_db()
    assert (plan.name, plan.throttle_burst, plan.stages.count()) == ("Free", 10, 1)
    assert audit_actions() == ["plan.changed"]


def throttle_line(plan, number, **fields):
    line = {
        "stage": plan.stages.get().pk,
        "operation": "",
        "rate": "1",
        "burst": "2",
        "plan": plan.pk,
        "id": "",
    }
    return {f"operation_throttles-{number}-{name}": value for name, value in (line | fields).items()}


def test_operations_of_a_plan_are_limited_on_its_page(staff):
    plan = make_plan()
    stage = plan.stages.get()
    operation = make_operation(stage.version)
    page = f"/admin/access/usageplan/{plan.pk}/change/"
    data = PLAN | {"opens": [stage.pk], "operation_throttles-TOTAL_FORMS": "2"}
    lines = throttle_line(plan, 0) | throttle_line(plan, 1, operation=operation.pk, rate="9", burst="9")
    response = staff.post(page, data | lines)
    assert response.status_code == 302, errors(response)
    assert {(row.operation, row.rate) for row in PlanThrottle.objects.all()} == {
        (None, 1.0),
        (operation, 9.0),
    }
    assert any("above the plan's 5" in text for text in shown(response))
    every = PlanThrottle.objects.get(operation=None)
    dear = PlanThrottle.objects.get(operation=operation)
    lines = throttle_line(plan, 0, id=every.pk, rate="3") | throttle_line(
        plan, 1, operation=operation.pk, rate="9", burst="9", id=dear.pk, DELETE="on"
    )
    response = staff.post(page, data | lines | {"operation_throttles-INITIAL_FORMS": "2"})
    assert response.status_code == 302, errors(response)
    assert [(row.operation, row.rate) for row in PlanThrottle.objects.all()] == [(None, 3.0)]


def test_half_a_limit_of_an_operation_is_refused_and_nothing_is_written(staff):
    plan = make_plan()
    data = PLAN | {"opens": [plan.stages.get().pk], "operation_throttles-TOTAL_FORMS": "1"}
    response = staff.post(
        f"/admin/access/usageplan/{plan.pk}/change/", data | throttle_line(plan, 0, rate="0", burst="5")
    )
    assert response.status_code == 200
    assert "set the burst to 0" in response.content.decode()
    assert audit_actions() == []


def test_a_key_says_one_network_and_one_host_a_line(staff):
    key, _ = make_key()
    page = f"/admin/access/apikey/{key.pk}/change/"
    data = {"name": key.name, "ips": "203.0.113.0/24\r\n2001:db8::1", "referrers": "*.example.com"}
    assert staff.post(page, data).status_code == 302
    key.refresh_from_db()
    assert (key.ips, key.referrers) == (["203.0.113.0/24", "2001:db8::1/128"], ["*.example.com"])
    response = staff.post(page, data | {"ips": "203.0.113.1/24"})
    assert "did you mean 203.0.113.0/24" in str(errors(response)["ips"])
    assert "203.0.113.0/24" in staff.get(page).content.decode()


def test_a_key_is_rotated_and_its_successor_shown_once(staff):
    key, _ = make_key()
    page = f"/admin/access/apikey/{key.pk}/rotate/"
    assert staff.get(page).status_code == 200
    assert staff.post(page, {"grace": "99999"}).status_code == 200
    response = staff.post(page, {"grace": "1"})
    assert response.status_code == 302
    assert any("gh_live_" in text for text in shown(response))
    key.refresh_from_db()
    assert key.replaced_by.origin == key
    assert key.grace_until is not None


def test_a_plan_in_use_is_archived_and_not_deleted(staff):
    plan = make_subscription().plan
    act(staff, "usageplan", "archive", plan)
    staff.post(f"/admin/access/usageplan/{plan.pk}/delete/", {"post": "yes"})
    assert UsagePlan.objects.get().visibility == "archived"
    unused = make_plan()
    assert staff.post(f"/admin/access/usageplan/{unused.pk}/delete/", {"post": "yes"}).status_code == 302
    assert UsagePlan.objects.get() == plan


def test_an_application_is_made_changed_and_suspended(staff):
    data = {"organization": make_organization().pk, "name": "Shop", "description": ""}
    assert staff.post("/admin/access/application/add/", data).status_code == 302
    shop = Application.objects.get()
    staff.post(f"/admin/access/application/{shop.pk}/change/", {"name": "Store", "description": ""})
    act(staff, "application", "suspend", shop)
    shop.refresh_from_db()
    assert (shop.name, shop.state) == ("Store", "suspended")
    assert audit_actions() == ["application.created", "application.changed", "application.suspended"]


def test_a_subscription_is_approved_suspended_resumed_and_cancelled(staff):
    plan, application = make_plan(requires_approval=True), make_application()
    data = {"application": application.pk, "plan": plan.pk}
    assert staff.post("/admin/access/subscription/add/", data).status_code == 302
    held = Subscription.objects.get()
    states = [held.state]
    for action in ("approve", "suspend", "resume", "cancel"):
        act(staff, "subscription", action, held)
        held.refresh_from_db()
        states.append(held.state)
    assert states == ["pending", "active", "suspended", "active", "cancelled"]


def test_a_refused_action_says_why_and_does_the_others(staff):
    fine, wrong = make_subscription(state="pending"), make_subscription(state="cancelled")
    messages = shown(act(staff, "subscription", "approve", fine, wrong))
    assert sorted(messages) == sorted([f"{wrong} is cancelled; it cannot be approved.", "Approved: 1"])


def test_a_second_subscription_to_a_stage_is_an_error_at_the_plan(staff):
    held = make_subscription()
    other = make_plan(*held.plan.stages.all())
    data = {"application": held.application.pk, "plan": other.pk}
    response = staff.post("/admin/access/subscription/add/", data)
    assert "Cancel that subscription" in str(errors(response)["plan"])


def test_a_key_is_shown_once_and_its_hash_never(staff):
    data = {"application": make_application().pk, "name": "ci", "environment": "live"}
    response = staff.post("/admin/access/apikey/add/", data)
    assert response.status_code == 302, errors(response)
    key = ApiKey.objects.get()
    text = next(message for message in shown(response) if "Copy" in message)
    assert key.prefix in text
    first = staff.get(f"/admin/access/apikey/{key.pk}/change/").content.decode()
    again = staff.get(f"/admin/access/apikey/{key.pk}/change/").content.decode()
    secret = text.split()[-1]
    assert secret in first
    assert secret not in again
    assert key.hash not in first + again


def test_keys_are_disabled_enabled_and_revoked(staff):
    key, _ = make_key()
    states = []
    for action in ("disable", "enable", "revoke"):
        act(staff, "apikey", action, key)
        key.refresh_from_db()
        states.append(key.state)
    assert states == ["disabled", "active", "revoked"]


def test_who_is_not_staff_sees_no_console(client):
    client.force_login(make_organization().members.get().user)
    assert client.get("/admin/access/apikey/").status_code == 302


def test_a_change_of_plan_is_shown_approved_and_taken_back(staff):
    stage = make_stage()
    subscription = make_subscription(plan=make_plan(stage))
    plan = make_plan(stage, name="Gold", requires_approval=True)
    change_plan(subscription=subscription, plan=plan, actor=None)
    assert "Gold, at once, once approved" in staff.get("/admin/access/subscription/").content.decode()
    assert shown(act(staff, "subscription", "approve_change", subscription)) == ["Approved: 1"]
    subscription.refresh_from_db()
    assert subscription.plan == plan
    cancel(subscription=subscription, at="period_end", actor=None)
    assert "ends 2" in staff.get(f"/admin/access/subscription/{subscription.pk}/change/").content.decode()
    assert shown(act(staff, "subscription", "cancel_change", subscription)) == ["Taken back: 1"]
    refused = shown(act(staff, "subscription", "approve_change", subscription))
    assert refused[-1:] == [f"No change of {subscription} waits for approval."]
