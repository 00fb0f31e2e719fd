"""A quota of N admits exactly N, over two nodes and 50 parallel clients, whatever is changed meanwhile."""

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
import requests

from tests.scenarios.running import Running, eventually

CLIENTS = 50
_numbers = count(1)


@pytest.fixture(scope="module")
def pair() -> Iterator[Running]:
    copy = Running(GATEHOUSE_NODES="2")
    try:
        yield copy.start(120)
    finally:
        copy.stop()
        shutil.rmtree(copy.var, ignore_errors=True)


@dataclass
class Sold:
    """A plan with one subscription, its keys, and the addresses of a call at each node."""

    running: Running
    plan: str
    subscription: str
    keys: list[dict[str, Any]]
    nodes: list[str]

    def change(self, **fields: Any) -> None:
        self.running.rest("PATCH", f"usage-plans/{self.plan}", json=fields)
        everywhere(self.running)

    def another_plan(self, **limits: Any) -> str:
        """Make another plan for the same stages; returns its id."""
        plan = self.running.rest("GET", f"usage-plans/{self.plan}")
        body = {
            "organization": plan["organization"],
            "name": f"Plan {next(_numbers)}",
            "stages": plan["stages"],
        }
        return str(self.running.rest("POST", "usage-plans", json=body | limits)["id"])

    def change_plan(self, plan: str) -> None:
        self.running.rest("POST", f"subscriptions/{self.subscription}/change-plan", json={"plan": plan})

    def set_remaining(self, remaining: int, **more: str) -> None:
        body = {"remaining": remaining, **more}
        self.running.rest("POST", f"subscriptions/{self.subscription}/set-remaining", json=body)

    def call(self, node: int = 0, key: int = 0) -> int:
        headers = {"x-api-key": self.keys[key]["key"]}
        return requests.get(self.nodes[node], headers=headers, timeout=30).status_code

    def flood(self, *, most: int = 10_000, key: int = 0, meanwhile: Callable[[], None] | None = None) -> int:
        """Call from 50 clients at both nodes until nothing is let in, or `most` calls were; returns how many were."""
        seen: Counter[int] = Counter()
        lock, stop = threading.Lock(), threading.Event()
        headers = {"x-api-key": self.keys[key]["key"]}

        def client(number: int) -> None:
            refused = 0
            with requests.Session() as session:
                for turn in count(number):
                    if stop.is_set() or refused >= 6:
                        return
                    status = session.get(self.nodes[turn % 2], headers=headers, timeout=30).status_code
                    refused = 0 if status == 200 else refused + 1
                    with lock:
                        seen[status] += 1
                        if seen[200] >= most:
                            stop.set()
                    if refused:
                        time.sleep(0.4)

        threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        if meanwhile:
            meanwhile()
        for thread in threads:
            thread.join()
        assert seen.keys() <= {200, 429}, seen
        return seen[200]


def everywhere(running: Running) -> None:
    """Wait until both nodes run what was changed last."""

    def done() -> bool:
        nodes = running.rest("GET", "nodes")["results"]
        return all(each["generation"] >= each["status"].get("stored_generation", 0) for each in nodes)

    time.sleep(0.5)
    eventually(done, 10)


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


def counted(sold: Sold) -> int:
    """Return how many calls were metered, once that does not move any more."""
    before = -1
    path = f"usage?subscription={sold.subscription}"
    while True:
        now = int(sold.running.rest("GET", path)["summary"]["accepted"])
        if now == before:
            return now
        before = now
        time.sleep(4)
