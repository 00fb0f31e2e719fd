"""Entries for tests of the gate, written with the contract's dataclasses."""

import hashlib
import itertools
import zlib
from typing import Any

from gateway.entries import (
    Backend,
    Entry,
    Integration,
    Key,
    Mapping,
    Operation,
    Plan,
    Quota,
    Stage,
    Subscription,
    Target,
    Throttle,
    compact,
)
from gateway.trie import build
from tests.gateway.node import Node

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_numbers = itertools.count(1)


def make_key(number: int | None = None) -> str:
    """A well-formed key; another one at each call."""
    start = f"gh_test_{next(_numbers) if number is None else number:032d}"
    rest, checksum = zlib.crc32(start.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        checksum = ALPHABET[digit] + checksum
    return f"{start}_{checksum}"


def proxy(backend: str = "backend", **more: Any) -> Integration:
    return Integration(type="http_proxy", backend=backend, **more)


def operation(method: str, path: str, **more: Any) -> Operation:
    """An operation without a key that goes to the backend, unless `more` says otherwise."""
    return Operation(method, path, **{"key_required": False, "integration": proxy(), **more})


def stage(operations: dict[str, Operation], **more: Any) -> Stage:
    trie = build((name, each.method, each.path) for name, each in operations.items())
    values = {
        "api_id": "api1", "version_id": "version1id", "name": "live", "state": "published", "deployment": "d1",
        "operations": operations, "trie": trie, **more,
    }  # fmt: skip
    return Stage(**values)


class World:
    """Pushes entries to a node with growing generations, and remembers the node's fixtures."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.generation = 0

    def entry(self, kind: str, key: str, data: Any) -> Entry:
        self.generation += 1
        return Entry(kind, key, self.generation, compact(data))

    def put(self, kind: str, key: str, data: Any) -> None:
        answer = self.node.push([self.entry(kind, key, data)])
        assert answer.status == 200, (answer.body, self.node.errors())
        assert answer.json == {"generation": self.generation}

    def publish(self, name: str, operations: dict[str, Operation], *, at: str = "", **more: Any) -> None:
        """Put a stage and its mapping; `at` is `host|base_path`, by default `*|{name}`."""
        self.put("stage", name, stage(operations, **more))
        self.put("mapping", at or f"*|{name}", Mapping(stage=name))

    def backend(
        self, name: str, host: str, port: int, *, scheme: str = "http", path: str = "", **more: Any
    ) -> None:
        times = {"connect_timeout_ms": 1000, "timeout_ms": 5000, **more}
        self.put("backend", name, Backend(target=Target(scheme, host, port, path), **times))

    def subscribe(
        self,
        name: str,
        stages: list[str],
        *,
        throttle: Throttle | None = None,
        quota: Quota | None = None,
        active: bool = True,
        request_log: str = "",
        **key: Any,
    ) -> str:
        """Put plan, subscription and key under `name`; returns the key's text."""
        text = make_key()
        self.put("plan", f"plan-{name}", Plan(stages, throttle, quota, request_log=request_log))
        self.put("subscription", name, Subscription(plan=f"plan-{name}", active=active))
        self.put_key(text, **{"id": f"key-{name}", "active": True, "subscriptions": [name], **key})
        return text

    def put_key(self, text: str, **fields: Any) -> None:
        self.put("key", hashlib.sha256(text.encode()).hexdigest(), Key(**fields))
