"""A plan sold to one application, called at two nodes from many clients."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import requests

from tests.scenarios.running import Running, eventually

CLIENTS = 50
_others = count(1)


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
            "name": f"Another plan {next(_others)}",
            "stages": plan["stages"],
        }
        return str(self.running.rest("POST", "usage-plans", json=body | limits)["id"])

    def change_plan(self, plan: str) -> None:
        self.running.rest("POST", f"subscriptions/{self.subscription}/change-plan", json={"plan": plan})

    def set_remaining(self, remaining: int, **more: str) -> None:
        body = {"remaining": remaining, **more}
        self.running.rest("POST", f"subscriptions/{self.subscription}/set-remaining", json=body)

    def answer(self, node: int = 0, key: int = 0) -> requests.Response:
        headers = {"x-api-key": self.keys[key]["key"]}
        return requests.get(self.nodes[node], headers=headers, timeout=30)

    def call(self, node: int = 0, key: int = 0) -> int:
        return self.answer(node, key).status_code

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
