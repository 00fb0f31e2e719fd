"""A provider's month so far as its pages show it: kept for a minute, and made anew by a worker."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from kombu.exceptions import OperationalError

from billing import sales, tasks
from billing.sales import sales_of, should_ask, take_snapshot
from tests.billing.factories import make_priced_plan, november, october, subscribed, use
from tests.factories import make_organization

pytestmark = pytest.mark.django_db
D = Decimal


class Clock:
    at: datetime = october(9)

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def clock(monkeypatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(sales, "now", found)
    return found


@pytest.fixture
def provider(clock):
    plan = make_priced_plan()
    for name, calls in (("Small", 1_000_000), ("Large", 3_000_000)):
        use(subscribed(plan, make_organization(name=name)), october(3), calls)
    return plan.organization


def test_a_snapshot_says_who_owes_what_largest_first(provider):
    assert sales_of(provider) is None
    take_snapshot(provider)
    found = sales_of(provider)
    assert [(each.customer.name, each.requests) for each in found.customers] == [
        ("Large", 3_000_000),
        ("Small", 1_000_000),
    ]
    assert found.totals == {"USD": sum(each.total for each in found.customers)}
    assert found.totals["USD"] == 4 * D("3.50")
    assert (found.payers, found.hidden, found.newer_soon, found.at) == (2, 0, False, october(9))


def test_it_keeps_the_largest_and_counts_the_others(provider, monkeypatch):
    monkeypatch.setattr(sales, "LARGEST", 1)
    take_snapshot(provider)
    found = sales_of(provider)
    assert [each.customer.name for each in found.customers] == ["Large"]
    assert (found.payers, found.hidden) == (2, 1)
    assert found.totals == {"USD": D(14)}


def test_of_many_who_look_one_has_it_made_and_again_when_it_is_old(provider, clock):
    assert [should_ask(provider), should_ask(provider)] == [True, False]
    clock.at += timedelta(seconds=1)
    take_snapshot(provider)
    assert not should_ask(provider)
    clock.at += timedelta(seconds=61)
    assert sales_of(provider).newer_soon
    assert [should_ask(provider), should_ask(provider)] == [True, False]


def test_a_worker_that_never_answered_is_asked_again(provider, clock):
    assert should_ask(provider)
    clock.at += timedelta(seconds=61)
    assert [should_ask(provider), should_ask(provider)] == [True, False]


def test_a_month_that_is_over_is_not_shown_as_the_running_one(provider, clock):
    take_snapshot(provider)
    clock.at = november(1)
    assert sales_of(provider) is None
    assert should_ask(provider)


def test_without_a_broker_the_page_still_opens(provider, monkeypatch):
    def away(*_):
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.rate_sales, "delay", away)
    tasks.ask_for_sales(provider)
    assert sales_of(provider) is None
