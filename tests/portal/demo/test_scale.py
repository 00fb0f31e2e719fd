"""The demo at scale, small: believable, adding up, the same again for the same seed, and careful."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import Count, Sum

from access.models import Subscription
from accounts.models import Organization
from billing.audit.audit import audit
from billing.models import Budget, Invoice, InvoiceState
from metering.models import RequestLine, UsageDay, UsageHour, UsageMinute
from metering.request_log.explain import explain
from metering.request_log.steps import State
from nodes.models import Entry
from portal.demo.people import Secrets
from portal.demo.scale.generate import Made, generate
from portal.demo.scale.rhythm import Caller, hours, make_caller, minutes
from tests.factories import make_user

NOON = datetime(2026, 11, 18, 12, 20, tzinfo=UTC)
SINCE = datetime(2026, 10, 1, tzinfo=UTC)


def test_an_office_rests_at_the_weekend_and_grows() -> None:
    office = Caller("office", datetime(2026, 1, 5, tzinfo=UTC), 4_000, 1.0, 0)
    found = list(hours(office, Random(1), datetime(2027, 1, 4, tzinfo=UTC)))
    assert {at.weekday() for at, _ in found} == {0, 1, 2, 3, 4}
    first, last = sum(calls for _, calls in found[:20]), sum(calls for _, calls in found[-20:])
    assert 1.6 < last / first < 2.4


def test_who_calls_around_the_clock_calls_most_by_day() -> None:
    steady = Caller("steady", SINCE, 100_000, 0.0, 0)
    found = dict(hours(steady, Random(1), SINCE + timedelta(days=1)))
    assert len(found) == 24
    assert max(found, key=lambda at: found[at]).hour in range(8, 17)


def test_minutes_of_an_hour_add_up_to_it() -> None:
    for calls in (1, 5, 6, 1_000_003):
        found = list(minutes(SINCE, calls, Random(2)))
        assert sum(some for _, some in found) == calls
        assert len({at for at, _ in found}) == len(found) == min(calls, 6)


def test_kinds_come_in_their_shares() -> None:
    callers = [make_caller(Random(n), n, 1_000, SINCE, 365) for n in range(1_000)]
    kinds = [each.kind for each in callers]
    assert [kinds.count(kind) for kind in ("steady", "office", "nightly", "rare")] == [20, 130, 500, 350]
    assert 300 < sum(each.since == SINCE for each in callers) < 500


@pytest.mark.django_db
def test_records_of_all_periods_add_up_and_months_are_billed(tmp_path: Path) -> None:
    made = generate(kept=Secrets(tmp_path / "demo.json"), subscriptions=50, days=48, seed=1, at=NOON)
    assert made.subscriptions == Subscription.objects.count() == 50
    calls = {table: table.objects.aggregate(n=Sum("calls"))["n"] for table in (UsageHour, UsageDay)}
    assert calls[UsageHour] == calls[UsageDay] > 50_000
    fine = UsageHour.objects.filter(at__gte=datetime(2026, 11, 16, tzinfo=UTC)).aggregate(n=Sum("calls"))["n"]
    assert fine == UsageMinute.objects.aggregate(n=Sum("calls"))["n"]
    for record in UsageDay.objects.all()[:200]:
        assert sum(record.latency_counts) == record.calls
        assert min(record.latency_counts) >= 0
    assert UsageDay.objects.filter(verdict="THROTTLED").exists()
    assert not UsageHour.objects.filter(at__gte=NOON.replace(minute=0)).exists()
    invoices = Invoice.objects.filter(month_start=SINCE)
    assert invoices.count() == made.invoices > 0
    assert invoices.filter(state=InvoiceState.PAID).count() > made.invoices / 3
    assert not invoices.filter(mailed_at=None).exists()
    largest = Organization.objects.annotate(n=Count("subscriptions")).order_by("-n").first()
    assert largest is not None
    assert largest.members.filter(user=made.developer, role="owner").exists()
    hers = Invoice.objects.filter(customer=largest)
    assert hers.exists()
    assert all(audit(invoice=each).ok for each in hers)
    assert Budget.objects.filter(organization=largest).count() == largest.applications.count() + 1
    assert Entry.objects.filter(data__isnull=False).count() > 100
    calls_are_logged(made)


def calls_are_logged(made: Made) -> None:
    lines = RequestLine.objects.filter(organization_id=made.provider.pk)
    assert lines.count() == made.requests == 1_000
    assert lines.filter(status__lt=300).count() > 700
    theirs = lines.filter(developer_id=made.developer.memberships.get().organization_id)
    assert {"", "THROTTLED", "INVALID_API_KEY"} <= set(theirs.values_list("verdict", flat=True))
    assert theirs.filter(why="DISABLED").exists()
    assert lines.filter(developer_id="", why="MISSING").exists()
    for line in theirs.filter(verdict="THROTTLED"):
        explained = explain(line, for_provider=False)
        assert explained.state == "refused"
        throttle = next(step for step in explained.steps if step.name == "Throttle")
        assert throttle.state == State.REFUSED
        assert explained.subscription is not None
        assert f"{explained.subscription.plan.throttle_rate:g}" in throttle.rule
    first, last = lines.earliest("at").at, lines.latest("at").at
    assert NOON - timedelta(days=7) < first < NOON - timedelta(days=4)
    assert NOON - timedelta(hours=2) < last <= NOON


@pytest.mark.django_db
def test_the_same_seed_makes_the_same_usage(tmp_path: Path) -> None:
    sums = []
    for seed in (7, 7, 8):
        start = transaction.savepoint()
        generate(kept=Secrets(tmp_path / "demo.json"), subscriptions=6, days=3, seed=seed, at=NOON)
        found = UsageHour.objects.order_by("at", "calls").values_list("at", "calls", "status_class")
        sums.append(list(found))
        transaction.savepoint_rollback(start)
    assert sums[0] == sums[1] != sums[2]


@pytest.mark.django_db
def test_it_refuses_where_somebody_works_unless_told(settings: Any, tmp_path: Path) -> None:
    settings.GATEHOUSE_VAR = tmp_path
    make_user("alice")
    small = {"scale": True, "subscriptions": 3, "days": 2}
    with pytest.raises(CommandError, match="--anyway"):
        call_command("demo", **small)
    assert not Subscription.objects.exists()
    call_command("demo", **small, anyway=True)
    assert Subscription.objects.count() == 3
    with pytest.raises(CommandError, match="there already"):
        call_command("demo", **small, anyway=True)
