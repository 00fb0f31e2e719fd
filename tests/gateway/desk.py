"""Asks a node's gate about keys, as a provider's program does; for tests of keys/verify and of the examples."""

import hashlib
import itertools
import json
from types import SimpleNamespace
from typing import Any

from gateway.entries import Api, Caller, Mapping
from tests.gateway.node import Answer
from tests.gateway.world import operation

TOKEN = "gat_" + "a" * 32 + "_abcdef"
READER = "gat_" + "b" * 32 + "_abcdef"
STRANGER = "gat_" + "c" * 32 + "_abcdef"
STAFF = "gat_" + "d" * 32 + "_abcdef"
_numbers = itertools.count(1)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def told(**more: Any) -> dict[str, Any]:
    return {
        "name": "server", "start": "gh_test_0000",
        "application": {"id": "app0000001", "name": "Weather \u201capp\u201d"},
        "account": {"id": "developer1", "name": "Charlie's"},
        "providers": ["provider01"], **more,
    }  # fmt: skip


class Desk:
    """Asks the gate about keys as the provider alice does."""

    def __init__(self, gate: SimpleNamespace) -> None:
        self.gate, self.node, self.world = gate, gate.node, gate.world
        for token, fields in (
            (TOKEN, {"organization": "provider01"}),
            (READER, {"organization": "provider01", "read_only": True}),
            (STRANGER, {"organization": "stranger01"}),
            (STAFF, {"organization": "staff00001", "everything": True}),
        ):
            self.world.put("caller", sha256(token), Caller(id=token[4:14], **fields))

    def sell(self, name: str = "", **more: Any) -> SimpleNamespace:
        """Publish a stage of alice's with a plan and Charlie's key; more: throttle, quota, stage, about, of the key."""
        name = name or f"shop{next(_numbers)}"
        stage = {
            "organization": "provider01", "api_id": f"api-{name}", "version_id": f"v{name:0>9}"[-10:],
            "about": {"slug": name, "version": "v1", "lifecycle": "published"}, **more.pop("stage", {}),
        }  # fmt: skip
        operations = {"op": operation("GET", "/orders/{id}", key_required=True, **more.pop("operation", {}))}
        self.world.publish(name, operations, **stage)
        names = {name: ["live", stage["version_id"], "v1"]}
        for key in (stage["api_id"], f"~{name}"):
            self.world.put("api", key, Api(stage["api_id"], name, "provider01", names))
        canonical = f"{stage['version_id']}.execute-api|live"
        self.world.put("mapping", canonical, Mapping(name))
        text = self.world.subscribe(f"s-{name}", [name], **{"about": told(), **more})
        return SimpleNamespace(name=name, key=text, stage=stage)

    def verify(self, body: Any, *, token: str = TOKEN, **more: Any) -> Answer:
        headers = {"Content-Type": "application/json"} | more.pop("headers", {})
        if token:
            headers["Authorization"] = f"Bearer {token}"
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.node.call("POST", "/api/v1/keys/verify", headers=headers, body=text, **more)

    def verdict(self, sold: SimpleNamespace, **more: Any) -> Any:
        answer = self.verify({"key": sold.key, "api": sold.name, **more})
        assert answer.status == 200, answer.body
        return answer.json

    def authorize(
        self, query: str, *, key: str = "", token: str = TOKEN, method: str = "GET", **headers: str
    ) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.node.call(
            method,
            f"/api/v1/keys/authorize{query}",
            key=key,
            headers={"Authorization": f"Bearer {token}", **named},
        )
