"""Closing a month by REST and watching it."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import BillingRun
from tests.billing.factories import make_priced_plan, make_rate_card, october, subscribed, use
from tests.rest.problems import fault, problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def sold(alice, monkeypatch):
    """It is November, and two customers used Acme's plan in October."""
    for module in ("rest.views.runs", "billing.runs"):
        monkeypatch.setattr(f"{module}.now", lambda: datetime(2026, 11, 3, tzinfo=UTC))
    plan = make_priced_plan(make_rate_card(alice.organization))
    for _ in range(2):
        use(subscribed(plan), october(5), 1_000_000)
    return plan


def test_a_month_is_closed_and_watched(alice, sold, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        made = alice.made("billing-runs", {"month": "2026-10"})
    assert made["state"] == "running"
    run = alice.get(f"billing-runs/{made['id']}").json()
    assert {name: run[name] for name in ("month", "state", "percent", "customers", "customers_done")} == {
        "month": "2026-10",
        "state": "done",
        "percent": 100,
        "customers": 2,
        "customers_done": 2,
    }
    assert (run["invoices"], run["totals"], run["seconds_left"], run["error"]) == (2, {"USD": "7"}, None, "")
    assert [each["id"] for each in alice.get("billing-runs?state=done").json()["results"]] == [made["id"]]
    assert alice.get("invoices").json()["count"] == 2


def test_one_at_a_time(alice, sold):
    running = BillingRun.objects.create(
        organization=alice.organization,
        month_start=datetime(2026, 9, 1, tzinfo=UTC),
        until=datetime(2026, 11, 1, tzinfo=UTC),
        customers=200,
        customers_done=50,
        chunks=2,
        started_at=datetime(2026, 11, 3, tzinfo=UTC) - timedelta(seconds=10),
    )
    fault(alice.post("billing-runs", {"month": "2026-10"}), "month", "in_progress")
    seen = alice.get(f"billing-runs/{running.pk}").json()
    assert (seen["percent"], seen["state"]) == (25, "running")


def test_others_neither_see_nor_start_it(alice, charlie, sold):
    made = alice.made("billing-runs", {"month": "2026-10"})
    problem(charlie.get(f"billing-runs/{made['id']}"), 404)
    assert charlie.get("billing-runs").json()["count"] == 0
    fault(
        charlie.post("billing-runs", {"month": "2026-10", "organization": alice.organization.pk}),
        "organization",
        "does_not_exist",
    )
