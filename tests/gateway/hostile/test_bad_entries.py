"""No entry makes a worker fail at every call: what a call would trip over is refused when it is pushed."""

import json
from typing import Any

import pytest

from gateway.entries import compact
from tests.gateway.world import operation, stage

TRIE: dict[str, Any] = {"s": {"x": {"m": {"GET": "op"}}}}
PROXY = {"type": "http_proxy", "backend": "backend", "path": []}
OPERATION = {"method": "GET", "path": "/x", "key_required": False, "integration": PROXY}
STAGE = {
    "api_id": "a", "version_id": "v", "name": "live", "state": "published", "deployment": "d",
    "operations": {"op": OPERATION}, "trie": TRIE,
}  # fmt: skip
BACKEND = {
    "target": {"scheme": "http", "host": "127.0.0.1", "port": 1},
    "connect_timeout_ms": 1,
    "timeout_ms": 1,
}
KEY = {"id": "k", "active": True, "subscriptions": ["s"]}


def with_operation(**more: Any) -> dict[str, Any]:
    return {**STAGE, "operations": {"op": {**OPERATION, **more}}}


def with_integration(**more: Any) -> dict[str, Any]:
    return with_operation(integration={**PROXY, **more})


def with_policy(**more: Any) -> dict[str, Any]:
    return {**STAGE, "policy": more}


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("mapping", {"stage": 7}, "stage"),
    ("stage", {**STAGE, "name": None}, "name"),
    ("stage", {**STAGE, "throttle": {"rate": "1", "burst": 1}}, "throttle.rate"),
    ("stage", {**STAGE, "throttle": {"rate": 1}}, "throttle.burst"),
    ("stage", {**STAGE, "throttle": {"rate": -1, "burst": 1}}, "throttle.rate"),
    ("stage", {**STAGE, "operations": {"op": 7}}, "operations.op"),
    ("stage", {**STAGE, "operations": [OPERATION]}, "operations"),
    ("stage", with_operation(integration=None), "operations.op.integration"),
    ("stage", with_operation(path=None), "operations.op.path"),
    ("stage", with_integration(backend=""), "operations.op.integration.target"),
    ("stage", with_integration(path=["/a/", 0]), "operations.op.integration.path.2"),
    ("stage", with_integration(path=[{}]), "operations.op.integration.path.1.source"),
    ("stage", with_integration(request_parameters={"integration.request.header.a": 7}),
     "operations.op.integration.request_parameters.integration.request.header.a"),
    ("stage", with_integration(response_parameters={"200": "x"}), "operations.op.integration.response_parameters.200"),
    ("stage", with_policy(ip={"allow": "10.0.0.0/8"}), "policy.ip.allow"),
    ("stage", with_policy(ip={"deny": [7]}), "policy.ip.deny.1"),
    ("stage", with_policy(cors={"origins": "*"}), "policy.cors.origins"),
    ("stage", with_policy(cache={"keys": []}), "policy.cache.ttl"),
    ("stage", with_policy(retries={"attempts": 1}), "policy.retries.on"),
    ("stage", with_policy(max_body="1"), "policy.max_body"),
    ("stage", {**STAGE, "trie": {"s": {"x": 7}}}, "trie.s.x"),
    ("stage", {**STAGE, "trie": {"m": {"GET": 7}}}, "trie.m.GET"),
    ("stage", {**STAGE, "trie": {"p": [[["", ".json"]]]}}, "trie.p.1"),
    ("stage", {**STAGE, "trie": {"p": [[[""], {}]]}}, "trie.p.1"),
    ("stage", {**STAGE, "responses": {"DEFAULT_4XX": {"headers": {"a": 7}}}}, "responses.DEFAULT_4XX.headers.a"),
    ("stage", {**STAGE, "access_log": {}}, "access_log"),
    ("stage", {**STAGE, "canary": {"percent": 1, "deployment": "d"}}, "canary"),
    ("stage", {**STAGE, "key_source": {"place": 7}}, "key_source.place"),
    ("backend", {**BACKEND, "target": {"scheme": "http", "host": "a"}}, "target.port"),
    ("backend", {**BACKEND, "targets": [{"weight": 1}]}, "targets.1.target"),
    ("backend", {**BACKEND, "targets": [{"target": BACKEND["target"], "weight": 0}]}, "targets.1.weight"),
    ("backend", {**BACKEND, "health": {"failures": 1}}, "health.rest_ms"),
    ("backend", {**BACKEND, "tls": {"certificate": 7}}, "tls.certificate"),
    ("plan", {"stages": [7]}, "stages.1"),
    ("plan", {"stages": [], "quota": {"limit": 1, "period": "DAY"}}, "quota.offline_allowance"),
    ("plan", {"stages": [], "operation_throttles": {"s": {"*": {"rate": 1}}}}, "operation_throttles.s.*.burst"),
    ("subscription", {"plan": "p", "active": True, "quota_epochs": {"": "1"}}, "quota_epochs."),
    ("key", {**KEY, "subscriptions": [7]}, "subscriptions.1"),
    ("key", {**KEY, "expires_at": "2026"}, "expires_at"),
    ("key", {**KEY, "ips": [7]}, "ips.1"),
    ("key", {**KEY, "about": {"application": None}}, "about.application"),
    ("caller", {"id": "c", "organization": None}, "organization"),
    ("api", {"organization": "o", "stages": {"s": "live"}}, "stages.s"),
    ("installation", {"throttle": {"rate": 1, "burst": "1"}}, "throttle.burst"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data", "field"), BAD, ids=[f"{kind} {field}" for kind, _, field in BAD])
def test_an_entry_that_calls_would_trip_over_is_refused_with_the_fields_name(hostile, kind, data, field):
    entry = {"kind": kind, "key": "*|bad" if kind == "mapping" else "bad", "generation": 10**9, "data": data}
    answer = hostile.node.control("POST", "/entries", json.dumps(entry).encode())
    assert answer.status == 400
    if field == "canary":
        assert "data.canary." in answer.json["error"]
    else:
        assert f"data.{field} is missing or of the wrong type" in answer.json["error"]


def test_what_the_control_plane_leaves_out_or_sets_to_null_is_good(hostile):
    whole = compact(stage({"op": operation("GET", "/x")}))
    empty = dict.fromkeys(("policy", "throttle", "canary", "key_source", "compress_from", "access_log"))
    for data in (whole, {**whole, **empty}, STAGE):
        hostile.world.put("stage", "sparse", data)
        hostile.world.put("mapping", "*|sparse", {"stage": "sparse"})
        assert hostile.node.call("GET", "/sparse/x").status == 200


def test_names_of_connection_cost_little_however_many_they_are(hostile):
    names = b",".join(b"n%d" % number for number in range(2500))
    head = b"GET /api/open/x HTTP/1.1\r\nHost: a\r\nConnection: close, " + names
    some = b"".join(b"\r\nn%d: v" % number for number in (0, 30, 2000))
    hostile.node.raw(head + some + b"\r\n\r\n", seconds=1)
    seen = hostile.backend.requests[-1][0]
    assert b"\r\nn0: v" not in seen
    assert b"\r\nn30: v" not in seen
    assert b"\r\nn2000: v" in seen  # beyond the first fifty nobody looks
