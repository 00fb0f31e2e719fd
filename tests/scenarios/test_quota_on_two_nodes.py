"""A quota of N admits exactly N, and a spend cap what it buys, over two nodes and 50 parallel clients."""

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest

from tests.scenarios.running import Running, eventually
from tests.scenarios.sold import Sold, counted, everywhere

_numbers = count(1)


@pytest.fixture(scope="module")
def pair() -> Iterator[Running]:
    copy = Running(GATEHOUSE_NODES="2", GATEHOUSE_SPEND_INTERVAL="2")
    try:
        yield copy.start(120)
    finally:
        copy.stop()
        shutil.rmtree(copy.var, ignore_errors=True)


@pytest.fixture
def sell(pair: Running) -> Callable[..., Sold]:
    def make(*, keys: int = 1, **limits: Any) -> Sold:
        number = next(_numbers)
        stage = next(each for each in pair.rest("GET", "stages")["results"] if each["name"] == "live")
        owner = stage["organization"]
        plan = pair.rest(
            "POST",
            "usage-plans",
            json={"organization": owner, "name": f"Plan {number}", "stages": [stage["id"]], **limits},
        )
        application = pair.rest("POST", "applications", json={"organization": owner, "name": f"App {number}"})
        made = [
            pair.rest("POST", "keys", json={"application": application["id"], "name": f"k{each}"})
            for each in range(keys)
        ]
        subscription = pair.rest(
            "POST", "subscriptions", json={"application": application["id"], "plan": plan["id"]}
        )
        port = int(pair.env["GATEHOUSE_GATEWAY_PORT"])
        nodes = [f"http://127.0.0.1:{port + each}/httpbin/v1/get" for each in range(2)]
        sold = Sold(pair, plan["id"], subscription["id"], made, nodes)
        everywhere(pair)
        return sold

    return make


def test_a_quota_of_n_admits_exactly_n(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=500)
    assert sold.flood() == 500
    assert [sold.call(0), sold.call(1)] == [429, 429]


def test_the_offset_is_taken_off_the_first_period(sell: Callable[..., Sold]) -> None:
    assert sell(quota_limit=100, quota_offset=37).flood() == 63


def test_each_key_has_its_own_quota_where_the_plan_says_so(sell: Callable[..., Sold]) -> None:
    sold = sell(keys=2, quota_limit=60, quota_scope="key")
    assert sold.flood(key=0) == 60
    assert sold.flood(key=1) == 60
    assert sold.call(key=0) == 429


def test_a_raised_limit_admits_the_difference(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=200)
    assert sold.flood(most=90, meanwhile=lambda: sold.change(quota_limit=300)) >= 90
    sold.flood()
    assert counted(sold) == 300


def test_a_lowered_limit_holds_once_the_nodes_gave_back_what_they_held(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=1_000)
    before = sold.flood(most=100)
    sold.change(quota_limit=400)
    time.sleep(3)
    assert before + sold.flood() == 400


def test_a_plan_is_changed_under_load_without_a_failed_call_and_the_count_goes_on(
    sell: Callable[..., Sold],
) -> None:
    sold = sell(quota_limit=400)
    larger = sold.another_plan(quota_limit=700)

    def change() -> None:
        time.sleep(0.3)
        sold.change_plan(larger)

    # flood() itself sees to it that no call gets another answer than 200 or 429
    assert sold.flood(meanwhile=change) + sold.flood() == 700


def test_a_change_to_a_smaller_plan_admits_exactly_its_quota(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=1_000)
    before = sold.flood(most=100)
    sold.change_plan(sold.another_plan(quota_limit=400))
    time.sleep(3)
    assert before + sold.flood() == 400


def test_a_plan_that_starts_anew_admits_exactly_its_quota_from_then_on(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=1_000)
    sold.flood(most=100)  # both nodes hold unspent units now, which become void
    sold.change_plan(sold.another_plan(quota_limit=150, counters_on_change="reset"))
    everywhere(sold.running)
    assert sold.flood() == 150


def test_the_new_plans_throttle_holds_within_a_second(sell: Callable[..., Sold]) -> None:
    sold = sell(throttle_rate=1_000, throttle_burst=1_000)
    assert {sold.call(0), sold.call(1)} == {200}
    blocked = sold.another_plan(throttle_rate=0, throttle_burst=0)
    sold.change_plan(blocked)
    began = time.monotonic()
    eventually(lambda: [sold.call(0), sold.call(1)] == [429, 429], 5, pause=0.02)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("remaining", [0, 150])
def test_after_setting_the_remaining_calls_exactly_so_many_are_let_in(
    sell: Callable[..., Sold], remaining: int
) -> None:
    sold = sell(quota_limit=1_000)
    sold.flood(most=100)  # both nodes hold unspent units now
    sold.set_remaining(remaining)
    everywhere(sold.running)
    assert sold.flood() == remaining


def test_setting_the_remaining_calls_under_load_gives_out_exactly_so_many_from_then_on(
    sell: Callable[..., Sold],
) -> None:
    sold = sell(quota_limit=100_000)
    took: list[float] = []

    def adjust() -> None:
        time.sleep(1)
        began = time.monotonic()
        sold.set_remaining(300)
        took.append(time.monotonic() - began)

    total = sold.flood(meanwhile=adjust)
    assert total > 300
    assert took[0] < 5
    assert sold.flood() == 0
    assert given_out(sold, epoch=1) == 300
    assert counted(sold) == total


def test_the_remaining_calls_of_one_key_leave_the_other_alone(sell: Callable[..., Sold]) -> None:
    sold = sell(keys=2, quota_limit=60, quota_scope="key")
    sold.flood(key=0)
    sold.set_remaining(25, key=sold.keys[0]["id"])
    assert sold.flood(key=0) == 25
    assert sold.flood(key=1) == 60


def test_units_that_a_node_does_not_use_come_to_the_node_that_needs_them(sell: Callable[..., Sold]) -> None:
    sold = sell(quota_limit=100)
    assert sold.call(node=0) == 200  # it holds a slice now, and is idle
    admitted = 0

    def all_admitted() -> bool:
        nonlocal admitted
        admitted += sold.call(node=1) == 200
        return admitted == 99

    eventually(all_admitted, 40, lambda: f"{admitted} were admitted", pause=0.02)
    assert sold.call(node=1) == 429


def given_out(sold: Sold, *, epoch: int) -> int:
    """Return how many units nodes were given in an epoch and did not give back."""
    question = f"""
from django.db.models import Sum
from nodes.models import Lease
rows = Lease.objects.filter(window__subscription="{sold.subscription}", epoch={epoch})
print("units", rows.aggregate(units=Sum("units"))["units"])
"""
    answer = sold.running.manage("shell", "-c", question)
    return int(answer.rpartition("units ")[2])


@pytest.fixture
def card(pair: Running) -> str:
    """A rate card of 0.01 USD a call, of the provider that `sell` uses."""
    owner = next(each for each in pair.rest("GET", "stages")["results"] if each["name"] == "live")
    price = {"meter": "requests", "tiers": [{"up_to": None, "unit_price": "0.01"}]}
    body = {"organization": owner["organization"], "name": f"Card {next(_numbers)}", "prices": [price]}
    return str(pair.rest("POST", "rate-cards", json=body)["id"])


def cap(sold: Sold, amount: str, **scope: str) -> str:
    owner = sold.running.rest("GET", f"subscriptions/{sold.subscription}")["organization"]
    body = {"organization": owner, "name": f"Cap {next(_numbers)}", "currency": "USD", "amount": amount}
    made = sold.running.rest("POST", "budgets", json=body | {"stops": True} | scope)
    everywhere(sold.running)
    return str(made["id"])


def test_a_spend_cap_lets_in_exactly_what_it_buys(sell: Callable[..., Sold], card: str) -> None:
    sold = sell(rate_card=card)  # no quota, no throttle
    budget = cap(sold, "3", subscription=sold.subscription)
    assert sold.flood() == 300

    def says_why() -> bool:
        answer = sold.answer()
        assert answer.status_code == 429
        return bool(answer.json() == {"message": "The monthly spend cap of this subscription is reached."})

    eventually(says_why, 20, pause=0.5)
    sold.running.rest("PATCH", f"budgets/{budget}", json={"amount": "3.50"})
    eventually(lambda: sold.call() == 200, 10)
    assert 1 + sold.flood() == 50
    assert counted(sold) == 350


def call_until_stopped(sold: Sold) -> int:
    """Call as fast as the throttle lets, until the cap is the reason of a refusal; returns how many were let in."""
    let_in, end = 0, time.monotonic() + 40
    while time.monotonic() < end:
        answer = sold.answer(node=let_in % 2)
        if answer.status_code == 200:
            let_in += 1
        elif "spend cap" in answer.json()["message"]:
            return let_in
    raise AssertionError(f"not stopped after {let_in} calls")


def test_a_cap_over_several_stops_within_the_stated_calls(sell: Callable[..., Sold], card: str) -> None:
    first, second = (sell(rate_card=card, throttle_rate=20, throttle_burst=20) for _ in range(2))
    budget = cap(first, "4.50")
    eventually(lambda: first.running.rest("GET", f"budgets/{budget}")["spent_at"], 10)
    spent = float(first.running.rest("GET", f"budgets/{budget}")["spent"])  # by tests before this one
    with ThreadPoolExecutor(2) as both:
        calls = sum(both.map(call_until_stopped, (first, second)))
    left = 450 - round(spent * 100)
    assert left <= calls <= left + 2 * (20 * (5 + 2 + 1) + 20)
