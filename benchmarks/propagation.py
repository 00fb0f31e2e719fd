"""How long a change takes to hold on every node: revoke -> refused and deploy -> live, with two nodes.

A whole Gatehouse is started. The clock runs from the moment at which the REST call is sent until both nodes answer
by the change; each node is asked on a kept connection, over and over. Budget: p99 at most 1 s.
"""

import http.client
import json
import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from benchmarks.report import Table, write
from portal.embedded.ports import free_port
from tests.gateway.backends import Backend
from tests.scenarios.running import Running

TRIES = int(os.environ.get("BENCH_TRIES", "200"))
NODES = 2
PATIENCE = 10.0
BUDGET_MS = 1_000


class Client:
    """A kept connection to one node."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)

    def call(self, path: str, key: str = "") -> tuple[int, bytes]:
        """Return status and body of a GET."""
        self._connection.request("GET", path, headers={"x-api-key": key} if key else {})
        answer = self._connection.getresponse()
        return answer.status, answer.read()


def until_all(clients: list[Client], holds: Callable[[Client], bool]) -> float:
    """Ask all nodes until the last one agrees; returns the moment. Raises TimeoutError."""
    deadline = time.monotonic() + PATIENCE
    for client in clients:
        while not holds(client):
            if time.monotonic() > deadline:
                raise TimeoutError("a node did not follow")
            time.sleep(0.002)
    return time.monotonic()


def document(number: int) -> dict[str, Any]:
    """A small API whose path tells its number."""
    paths = {
        path: {"get": {"responses": {"200": {"description": "ok"}}}} for path in ("/fixed", f"/new{number}")
    }
    return {"openapi": "3.1.0", "info": {"title": "Bench", "version": "1"}, "paths": paths}


class Product:
    """One published API with a plan and an application."""

    def __init__(self, running: Running, backend: Backend) -> None:
        self.running = running
        api = running.rest("POST", "apis", json={"name": "Bench", "slug": "bench"})
        server = running.rest(
            "POST", "backends", json={"name": "bench", "url": f"http://127.0.0.1:{backend.port}"}
        )
        body = {"api": api["id"], "name": "v1", "document": json.dumps(document(0)), "backend": server["id"]}
        self.version = running.rest("POST", "versions", json=body)
        stage = self.deploy()
        plan = running.rest("POST", "usage-plans", json={"name": "Bench", "stages": [stage]})
        self.application = running.rest("POST", "applications", json={"name": "Bench"})
        body = {"application": self.application["id"], "plan": plan["id"]}
        running.rest("POST", "subscriptions", json=body)

    def deploy(self) -> str:
        body = {"version": self.version["id"], "stage": "live"}
        made = self.running.rest("POST", "deployments", json=body)
        return str(made["stages"][0]["id"])

    def revocation(self, clients: list[Client], number: int) -> float:
        """Seconds from the call that revokes a key until all nodes refuse it."""
        body = {"application": self.application["id"], "name": f"k{number}"}
        key = self.running.rest("POST", "keys", json=body)
        until_all(clients, lambda client: client.call("/bench/v1/fixed", key["key"])[0] == 200)
        begun = time.monotonic()
        self.running.rest("POST", f"keys/{key['id']}/revoke")
        return until_all(clients, lambda client: client.call("/bench/v1/fixed", key["key"])[0] == 403) - begun

    def deployment(self, clients: list[Client], number: int) -> float:
        """Seconds from the call that deploys until all nodes know the new path."""
        path = f"versions/{self.version['id']}"
        self.running.rest("PATCH", path, json={"document": json.dumps(document(number))})
        begun = time.monotonic()
        self.deploy()
        missing = b"Missing Authentication Token"
        return (
            until_all(clients, lambda client: missing not in client.call(f"/bench/v1/new{number}")[1]) - begun
        )


def measure() -> Table:
    """Make all tries and return the table."""
    first = free_port(NODES)
    with ExitStack() as stack:
        backend = Backend("bench")
        stack.callback(backend.stop)
        settings = {
            "GATEHOUSE_NODES": str(NODES),
            "GATEHOUSE_DEMO": "0",
            "GATEHOUSE_GATEWAY_PORT": str(first),
        }
        running = Running(None, **settings).start()
        stack.callback(running.stop)
        clients = [Client(first + number) for number in range(NODES)]
        product = Product(running, backend)
        rows = []
        for name, attempt in (
            ("revoke → refused", product.revocation),
            ("deploy → live", product.deployment),
        ):
            taken = sorted(attempt(clients, number) * 1_000 for number in range(1, TRIES + 1))
            rows.append(_row(name, taken))
            print(" | ".join(rows[-1]), flush=True)
    return Table(
        heading="How soon a change holds on every node",
        columns=("", "p50 ms", "p99 ms", "longest ms", "budget p99"),
        rows=rows,
        note=f"{TRIES} tries each on {NODES} nodes, from the REST call sent to the last node's answer.",
    )


def _row(name: str, taken: list[float]) -> tuple[str, ...]:
    figures = (taken[len(taken) // 2], taken[int(len(taken) * 0.99)], taken[-1])
    return (name, *(f"{figure:.0f}" for figure in figures), f"{BUDGET_MS}")


def main() -> None:
    """Print the table and write it to docs/benchmarks.md."""
    table = measure()
    print(table.text())
    write(table)


if __name__ == "__main__":
    main()
