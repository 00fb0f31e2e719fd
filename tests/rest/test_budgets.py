"""Budgets, spend caps, quota alerts and webhooks for programs."""

import pytest

from accounts.models import Role, WebhookDelivery, WebhookEndpoint
from billing.models import Budget
from nodes.quota_alerts import rule_of
from tests.billing.factories import october, pay_for
from tests.factories import make_application, make_member, make_organization, make_token
from tests.receiver import receiving
from tests.rest.conftest import Program
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


def program(organization, role):
    return Program(make_token(organization, make_member(organization, role=role).user)[1])


def test_a_spend_cap_is_made_read_changed_and_deleted(alice):
    application = make_application(alice.organization)
    body = {"name": "App", "application": application.pk, "currency": "USD", "amount": "99.5", "stops": True}
    made = alice.post("budgets", body)
    assert made.status_code == 201
    told = made.json()
    assert told | {"id": "", "created_at": ""} == {
        "id": "", "organization": alice.organization.pk, "name": "App", "scope": "application",
        "application": application.pk, "subscription": None, "whole_group": False, "currency": "USD", "amount": "99.5",
        "percents": [50, 80, 100], "stops": True, "mails": True, "period": "", "spent": "0",
        "spent_at": None, "reached": False, "created_at": "",
    }  # fmt: skip
    path = f"budgets/{told['id']}"
    changed = alice.patch(path, {"amount": "120", "percents": [90]}).json()
    assert (changed["amount"], changed["percents"]) == ("120", [90])
    # what GET answers may be sent back
    assert alice.patch(path, alice.get(path).json()).status_code == 200
    assert [row["id"] for row in alice.get("budgets", stops="true").json()["results"]] == [told["id"]]
    assert alice.delete(path).status_code == 204
    assert not Budget.objects.exists()


def test_faults_name_the_field(alice):
    good = {"name": "All", "currency": "USD", "amount": "1"}
    foreign = make_application(make_organization())
    for change, field in (
        ({"amount": "0"}, "amount"),
        ({"currency": "XXX"}, "currency"),
        ({"percents": [0]}, "percents.0"),
        ({"application": foreign.pk}, "application"),
    ):
        fault(alice.post("budgets", good | change), field)


def test_a_payer_may_count_its_whole_group(alice):
    good = {"name": "Group", "currency": "USD", "amount": "1", "whole_group": True}
    application = make_application(alice.organization)
    fault(alice.post("budgets", good | {"application": application.pk}), "whole_group")
    made = alice.post("budgets", good).json()
    assert (made["scope"], made["whole_group"]) == ("group", True)
    assert [row["id"] for row in alice.get("budgets", whole_group="true").json()["results"]] == [made["id"]]
    Budget.objects.all().delete()
    pay_for(alice.organization, make_organization(), october(1))
    fault(alice.post("budgets", good), "whole_group")


def test_roles(alice):
    budget = Budget.objects.create(organization=alice.organization, name="All", currency="USD", amount=1)
    clerk, bob = program(alice.organization, Role.BILLING), program(alice.organization, Role.MEMBER)
    assert clerk.get(f"budgets/{budget.pk}").status_code == 200
    problem(clerk.patch(f"budgets/{budget.pk}", {"amount": "2"}), 403)
    problem(bob.get("budgets"), 403)
    problem(bob.get("webhooks"), 403)
    problem(clerk.patch("quota-alerts", {"mails": False}), 403)


def test_quota_alerts_are_chosen(alice, charlie):
    assert alice.get("quota-alerts").json() == {"percents": [50, 80, 100], "mails": True}
    assert alice.patch("quota-alerts", {"percents": [90, 70]}).json()["percents"] == [70, 90]
    assert alice.patch("quota-alerts", {"mails": False}).json() == {"percents": [70, 90], "mails": False}
    fault(alice.patch("quota-alerts", {"percents": [101]}), "percents.0")
    assert rule_of(charlie.organization).percents == [50, 80, 100]


def test_a_webhook_is_made_tested_and_given_a_new_secret(alice, django_capture_on_commit_callbacks):
    with receiving() as receiver:
        made = alice.post("webhooks", {"url": receiver.url, "description": "Ops"}).json()
        path = f"webhooks/{made['id']}"
        assert made["secret"].startswith("whsec_")
        assert "secret" not in alice.get(path).json()
        with django_capture_on_commit_callbacks(execute=True):
            sent = alice.post(f"{path}/test", {}).json()
        assert receiver.verify(made["secret"])["data"] == {"endpoint": made["id"]}
        delivery = alice.get(f"webhook-deliveries/{sent['id']}").json()
        assert (delivery["state"], delivery["attempts"][0]["status"]) == ("delivered", 204)
        fresh = alice.post(f"{path}/rotate-secret", {"overlap_seconds": 0}).json()["secret"]
        with django_capture_on_commit_callbacks(execute=True):
            alice.post(f"webhook-deliveries/{sent['id']}/resend", {})
        assert receiver.verify(fresh)["type"] == "webhook.test"
    assert len(alice.get("webhook-deliveries", webhook=made["id"]).json()["results"]) == 1
    off = alice.patch(path, {"enabled": False, "event_types": ["quota.threshold_reached"]}).json()
    assert (off["state"], off["event_types"]) == ("disabled", ["quota.threshold_reached"])
    fault(alice.post(f"{path}/test", {}), "", "wrong_state")
    assert alice.delete(path).status_code == 204
    assert not WebhookDelivery.objects.exists()


def test_a_webhook_to_the_inside_is_refused(alice, settings):
    settings.WEBHOOK_PRIVATE = False
    fault(alice.post("webhooks", {"url": "https://169.254.169.254/latest"}), "url", "url_not_allowed")
    assert not WebhookEndpoint.objects.exists()
