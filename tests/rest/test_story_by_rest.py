"""The whole story by REST alone: publish, plan, subscribe, verify, read usage, bill, revoke."""

import json
from decimal import Decimal

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.timezone import now

from access.models import Subscription
from accounts.models import Member, Role
from tests.billing.factories import use
from tests.factories import make_user
from tests.rest.problems import problem

SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "httpbin", "version": "0.9"},
    "paths": {
        "/get": {"get": {"responses": {"200": {"description": "Fine."}}}},
        "/status/{code}": {
            "get": {
                "parameters": [{"name": "code", "in": "path", "required": True, "type": "string"}],
                "responses": {"200": {"description": "As asked."}},
            }
        },
    },
}
SECOND = """
openapi: 3.1.0
info: {title: httpbin, version: "2"}
paths:
  /get:
    get:
      responses:
        "200": {description: Fine.}
"""
FREE = {"throttle_rate": 5, "throttle_burst": 10, "quota_limit": 1000, "quota_period": "MONTH"}
PRO = {"throttle_rate": 50, "throttle_burst": 100}


@pytest.fixture
def developer(program, charlie):
    """Charlie's organization, as a developer; her person administers it."""
    return charlie


def publish(alice):
    api = alice.made("apis", {"name": "httpbin", "slug": "httpbin", "summary": "Echoes."})
    backend = alice.made("backends", {"name": "httpbin", "url": "http://127.0.0.1:5000"})
    body = {"api": api["id"], "name": "v1", "document": SWAGGER, "backend": backend["id"]}
    version = alice.made("versions", body)
    assert version["state"] == "draft"
    deployment = alice.made("deployments", {"version": version["id"], "note": "first"})
    stage = alice.get("stages", version=version["id"]).json()["results"][0]
    assert deployment["stages"][0]["id"] == stage["id"]
    assert stage["address"].endswith("/httpbin/v1")
    return api, version, stage


def test_publish_and_bring_a_second_version_live_and_back(alice):
    api, version, stage = publish(alice)
    assert alice.get(f"versions/{version['id']}").json()["state"] == "published"
    assert alice.get(f"versions/{version['id']}/document").json() == SWAGGER

    second = alice.made("versions", {"api": api["id"], "name": "v2", "document": SECOND})
    problem(alice.post("deployments", {"version": second["id"]}), 422)  # nothing stands behind it yet
    backend = alice.get("backends").json()["results"][0]["id"]
    assert alice.patch(f"versions/{second['id']}", {"backend": backend}).status_code == 200
    alice.made("deployments", {"version": second["id"], "stage": "beta"})
    beta = alice.get("stages", version=second["id"]).json()["results"][0]
    live = alice.done(f"stages/{beta['id']}/promote", {"to": "live"})
    assert (live["name"], live["deployment"]) == ("live", beta["deployment"])
    assert live["nodes"] == {"live": 0, "up": 0, "problem": live["nodes"]["problem"]}

    newer = alice.made("deployments", {"version": version["id"], "note": "again"})
    assert newer["number"] == 2
    back = alice.done(f"stages/{stage['id']}/roll-back")
    assert back["deployment"] == stage["deployment"]
    changed = alice.patch(f"stages/{stage['id']}", {"throttle_rate": 100, "throttle_burst": 200})
    assert changed.json()["throttle_burst"] == 200


def test_an_upload_makes_a_version_too(alice):
    api = alice.made("apis", {"name": "httpbin"})
    file = SimpleUploadedFile("spec.yaml", SECOND.encode())
    response = alice.client.post("/api/v1/versions", {"api": api["id"], "name": "v1", "file": file})
    assert response.status_code == 201, response.content
    paths = [
        each["path"] for each in alice.get("operations", version=response.json()["id"]).json()["results"]
    ]
    assert paths == ["/get"]


def test_an_operation_can_be_opened_to_calls_without_a_key(alice):
    _, version, _ = publish(alice)
    operation = alice.get("operations", version=version["id"], path="/get").json()["results"][0]
    assert operation["key_required"] is True
    changed = alice.patch(f"operations/{operation['id']}", {"key_required": False})
    assert changed.json()["key_required"] is False


def test_the_whole_story(alice, developer):
    _, _, stage = publish(alice)
    free = alice.made("usage-plans", {"name": "Free", "stages": [stage["id"]], **FREE})
    card = alice.made("rate-cards", {"name": "AWS REST", "preset": "aws-rest"})
    assert {price["meter"] for price in card["prices"]} == {"requests", "bytes_out"}
    pro = alice.made("usage-plans", {"name": "Pro", "stages": [stage["id"]], "rate_card": card["id"], **PRO})
    assert (pro["rate_card"], free["rate_card"]) == (card["id"], None)

    # the developer finds the API, and subscribes
    offer = developer.get("catalogue").json()["results"][0]
    assert offer["slug"] == "httpbin"
    offered = offer["versions"][0]
    assert {plan["name"] for plan in offered["plans"]} == {"Free", "Pro"}
    assert developer.get(f"catalogue/{offer['id']}/v1").json()["info"]["title"] == "httpbin"
    application = developer.made("applications", {"name": "Weather app"})
    subscription = developer.made("subscriptions", {"application": application["id"], "plan": pro["id"]})
    assert subscription["state"] == "active"
    key = developer.made("keys", {"application": application["id"], "name": "server"})
    assert key["key"].startswith(key["prefix"])
    assert "key" not in developer.get(f"keys/{key['id']}").json()

    # the provider asks about it
    asked = {"key": key["key"], "api": "httpbin", "version": "v1", "method": "GET", "path": "/status/418"}
    verdict = alice.done("keys/verify", asked)
    assert (verdict["valid"], verdict["code"]) == (True, "VALID")
    assert verdict["operation"]["path"] == "/status/{code}"
    assert verdict["subscription"]["id"] == subscription["id"]

    # a million and one calls later
    use(Subscription.objects.get(pk=subscription["id"]), now(), 1_000_001, 2**30)
    for who, side in ((alice, "provider"), (developer, "developer")):
        usage = who.get("usage", by="api").json()
        assert usage["side"] == side
        assert usage["summary"]["calls"] == 1_000_001
        assert sum(bucket["calls"] for bucket in usage["series"]) == 1_000_001
    owed = developer.get("usage/estimate").json()["owed"]
    assert owed["totals"] == {"USD": "3.5"}
    sold = alice.get("usage/estimate").json()["sold"]
    assert [(each["customer"], each["total"]) for each in sold["customers"]] == [
        (developer.organization.pk, "3.5")
    ]

    # month end
    closed = alice.made("invoices/close", {"month": f"{now():%Y-%m}"})
    invoice = developer.get(f"invoices/{closed['invoices'][0]['id']}").json()
    assert Decimal(invoice["total"]) == sum(Decimal(line["amount"]) for line in invoice["lines"])
    assert invoice["total"] == "3.5"
    assert alice.done(f"invoices/{invoice['id']}/pay")["state"] == "paid"

    # rotation, and the end
    second = developer.made(f"keys/{key['id']}/rotate", {"grace_seconds": 60})
    assert developer.get(f"keys/{key['id']}").json()["replaced_by"] == second["id"]
    assert alice.done("keys/verify", {**asked, "key": second["key"]})["valid"] is True
    assert developer.delete(f"keys/{second['id']}").status_code == 204
    assert alice.done("keys/verify", {**asked, "key": second["key"]})["code"] == "REVOKED"
    cancelled = developer.done(f"subscriptions/{subscription['id']}/cancel")
    assert cancelled["state"] == "cancelled"
    assert alice.done("keys/verify", asked)["code"] == "NOT_SUBSCRIBED"


def test_a_plan_with_approval_waits_for_its_provider(alice, developer):
    _, _, stage = publish(alice)
    plan = alice.made("usage-plans", {"name": "Partners", "stages": [stage["id"]], "requires_approval": True})
    application = developer.made("applications", {"name": "App"})
    waiting = developer.made("subscriptions", {"application": application["id"], "plan": plan["id"]})
    assert waiting["state"] == "pending"
    problem(developer.post(f"subscriptions/{waiting['id']}/approve"), 403)
    for action, state in (("approve", "active"), ("suspend", "suspended"), ("resume", "active")):
        assert alice.done(f"subscriptions/{waiting['id']}/{action}")["state"] == state
    problem(alice.post(f"subscriptions/{waiting['id']}/approve"), 422)


def test_people_and_tokens(alice, program):
    make_user("bob")
    member = alice.made("members", {"email": "Bob@example.com", "role": "billing"})
    assert member["user"]["email"] == "bob@example.com"
    assert alice.patch(f"members/{member['id']}", {"role": "admin"}).json()["role"] == "admin"
    bob = Member.objects.get(pk=member["id"])
    assert bob.role == Role.ADMIN

    made = program(alice.organization, bob.user).made("tokens", {"name": "ci", "read_only": True})
    assert made["token"].startswith("gat_")
    assert "token" not in alice.get(f"tokens/{made['id']}").json()
    assert alice.delete(f"tokens/{made['id']}").status_code == 204
    assert alice.delete(f"members/{member['id']}").status_code == 204
    trail = alice.get("audit-events", limit=100).json()["results"]
    assert {"member.added", "token.created", "token.revoked"} <= {each["action"] for each in trail}
    assert made["token"] not in json.dumps(trail)


def test_staff_make_organizations_and_nodes(staff):
    make_user("dora")
    organization = staff.made("organizations", {"name": "Dora's", "owner": "dora@example.com"})
    assert staff.done(f"organizations/{organization['id']}/suspend")["suspended_at"]
    assert staff.done(f"organizations/{organization['id']}/resume")["suspended_at"] is None
    node = staff.made("nodes", {"name": "berlin-1"})
    assert node["token"].startswith("ghn_")
    assert staff.done(f"nodes/{node['id']}/disable")["enabled"] is False
    renewed = staff.done(f"nodes/{node['id']}/renew-token")
    assert renewed["token"].startswith("ghn_")
    assert renewed["token"] != node["token"]
    assert "token" not in staff.get(f"nodes/{node['id']}").json()
