"""Policies, canaries and backends with several servers, on their way into entries."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gateway import entries as shapes
from nodes import compile as compiler
from tests.factories import make_backend, make_deployment, make_organization, make_stage, make_version

pytestmark = pytest.mark.django_db


def operation(number: int = 1, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"op{number:08}",
        "method": "GET",
        "path": f"/pets/{number}/{{id}}",
        "key_required": False,
        "integration": {"type": "http_proxy", "backend": "backend001"},
    } | fields


def entry(*operations: dict[str, Any], compiled: Any = None, organization: Any = None, **fields: Any) -> Any:
    """The stage's entry; `compiled` is what the document says at its root."""
    version = make_version(**fields.pop("version", {}))
    given = {"operations": list(operations or [operation()])} | (compiled or {})
    deployment = make_deployment(version, compiled=given)
    stage = make_stage(version, deployment=deployment, **fields)
    change = next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")
    assert change.problem == ""
    return change.data


CACHE = {"ttl": 60}
CACHED = shapes.Policy(cache=shapes.Cache(60))


def test_a_stages_policy_is_the_stages_and_its_operations_inherit_it() -> None:
    made = entry(
        policy={"cache": CACHE, "max_body": 5}, compiled={"policy": {"max_body": 9, "timeout_ms": 50}}
    )
    assert made.policy == shapes.Policy(cache=shapes.Cache(60), max_body=5, timeout_ms=50)
    assert made.operations["op00000001"].policy is None


def test_the_most_specific_level_decides_field_by_field() -> None:
    own = operation(policy={"cache": {"ttl": 30}, "max_body": 7})
    made = entry(
        own,
        operation(2),
        policy={"cache": CACHE, "timeout_ms": 100},
        operation_policies={"op00000001": {"max_body": 8}},
        compiled={"policy": {"retries": {"attempts": 1, "on": ["error"]}}},
    )
    assert made.operations["op00000001"].policy == shapes.Policy(
        cache=shapes.Cache(30), max_body=8, timeout_ms=100, retries=shapes.Retries(1, ["error"])
    )
    assert made.operations["op00000002"].policy is None


def test_an_operation_may_switch_off_what_its_stage_asks() -> None:
    made = entry(policy={"cache": CACHE}, operation_policies={"op00000001": {"cache": None}})
    assert made.operations["op00000001"].policy == shapes.Policy()
    assert shapes.compact(made)["operations"]["op00000001"]["policy"] == {}


def test_an_operation_that_asks_what_its_stage_asks_has_no_policy_of_its_own() -> None:
    made = entry(policy={"cache": CACHE}, operation_policies={"op00000001": {"cache": CACHE}})
    assert (made.policy, made.operations["op00000001"].policy) == (CACHED, None)


def test_a_throttle_of_an_operation_is_a_bucket_of_its_own() -> None:
    narrow = {"throttle": {"rate": 1, "burst": 2}}
    made = entry(
        operation(),
        operation(2),
        policy={"throttle": {"rate": 5, "burst": 5}},
        operation_policies={"op00000001": narrow},
    )
    assert made.operations["op00000001"].throttle == shapes.Throttle(1, 2)
    assert made.operations["op00000002"].throttle == shapes.Throttle(5, 5)
    assert (made.policy, made.throttle, made.operations["op00000001"].policy) == (None, None, None)


def test_cache_keys_name_path_variables_by_their_numbers() -> None:
    keys = {"ttl": 60, "keys": ["path.id", "path.other", "query.page"]}
    made = entry(
        operation(cache_keys=["header.accept"]),
        operation(2, policy={"cache": keys}),
        policy={"cache": CACHE},
    )
    assert made.operations["op00000001"].policy.cache == shapes.Cache(60, ["header.accept"])
    assert made.operations["op00000002"].policy.cache == shapes.Cache(60, ["path.0", "query.page"])


def test_rules_of_the_resource_policy_hold_besides_those_of_the_policies() -> None:
    statement = {"effect": "allow", "resources": ["live/GET/pets/1/*"], "inside": ["10.0.0.0/8"]}
    made = entry(
        operation(),
        operation(2),
        policy={"ip": {"allow": [], "deny": ["10.9.0.0/16"]}},
        compiled={"statements": [statement]},
    )
    rules = made.operations["op00000001"].policy.ip
    assert rules == shapes.IpRules(allow=["10.0.0.0/8"], deny=["10.9.0.0/16"])
    assert made.operations["op00000002"].policy.ip.deny == ["0.0.0.0/0", "::/0", "10.9.0.0/16"]


def test_what_the_document_says_at_its_root_is_the_stages() -> None:
    made = entry(
        compiled={
            "key_source": {"place": "query", "name": "key"},
            "responses": {"THROTTLED": {"status": 503, "headers": {"X": "'y'"}}},
            "compress_from": 1_000,
        },
        variables={"a": "b"},
        access_log="$context.requestId",
        cache_epoch=3,
    )
    assert made.key_source == shapes.KeySource("query", "key")
    assert made.responses == {"THROTTLED": shapes.GatewayResponse(503, {"X": "'y'"})}
    assert (made.compress_from, made.variables, made.access_log) == (1_000, {"a": "b"}, "$context.requestId")
    assert made.cache_epoch == 3


@pytest.mark.parametrize(("mode", "expected"), [("all", ""), ("errors", "errors"), ("off", "off")])
def test_a_stage_says_which_calls_its_request_log_takes(mode, expected) -> None:
    assert entry(request_log=mode).request_log == expected


def test_a_stage_may_compress_otherwise_than_its_document_says() -> None:
    assert entry(compiled={"compress_from": 1_000}, compress_from=0).compress_from == 0
    assert entry().compress_from is None


def test_a_deprecated_version_tells_since_when_and_until_when() -> None:
    at = datetime(2026, 11, 23, 12, tzinfo=UTC)
    made = entry(version={"deprecated_at": at, "sunset_at": at, "state": "deprecated"})
    assert (made.deprecated_at, made.sunset_at) == (at.timestamp(), at.timestamp())


MAPPED = {
    "type": "http_proxy",
    "uri": "http://127.0.0.1:9000/x/{which}/{where}/{who}",
    "captures": {
        "which": "'a b/c'",
        "where": "stageVariables.where",
        "who": "method.request.header.who",
        "id": 0,
    },
    "method": "",
    "timeout_ms": 1_000,
    "request_parameters": {
        "integration.request.header.X-A": "stageVariables.where",
        "integration.request.header.X-B": "stageVariables.missing",
        "integration.request.header.X-C": "context.requestId",
    },
    "response_parameters": {"default": {"remove:header.Server": "''"}},
    "stream": True,
}


def test_mappings_get_the_stages_variables_and_what_is_not_set_is_left_out() -> None:
    made = entry(operation(integration=MAPPED), variables={"where": "here"})
    integration = made.operations["op00000001"].integration
    assert integration.path == [
        "/x/",
        "a%20b%2Fc",
        "/",
        "here",
        "/",
        {"source": "method.request.header.who"},
    ]
    assert integration.request_parameters == {
        "integration.request.header.X-A": "'here'",
        "integration.request.header.X-C": "context.requestId",
    }
    assert integration.response_parameters == MAPPED["response_parameters"]
    assert integration.stream is True


def test_a_canary_is_compiled_with_its_own_variables() -> None:
    version = make_version()
    base = make_deployment(version, compiled={"operations": [operation()]})
    integration = {**MAPPED, "uri": "http://${stageVariables.host}/x", "captures": {}}
    newer = make_deployment(version, compiled={"operations": [operation(2, integration=integration)]})
    stage = make_stage(
        version,
        deployment=base,
        variables={"host": "127.0.0.1:1", "where": "a"},
        canary_deployment=newer,
        canary_percent=12.5,
        canary_variables={"host": "127.0.0.1:2"},
        canary_use_cache=True,
        operation_policies={"op00000002": {"max_body": 1}},
    )
    change = next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")
    canary = change.data.canary
    assert (canary.percent, canary.deployment, canary.use_cache) == (12.5, newer.pk, True)
    assert canary.variables == {"host": "127.0.0.1:2"}
    assert canary.operations["op00000002"].integration.target.port == 2
    assert canary.operations["op00000002"].policy == shapes.Policy(max_body=1)
    assert list(change.data.operations) == ["op00000001"]


def test_a_canary_with_a_broken_operation_says_so() -> None:
    version = make_version()
    broken = operation(integration={**MAPPED, "uri": "http://${stageVariables.host}/"})
    deployment = make_deployment(version, compiled={"operations": [operation()]})
    canary = make_deployment(version, compiled={"operations": [broken]})
    stage = make_stage(version, deployment=deployment, canary_deployment=canary)
    change = next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")
    assert change.problem.startswith("canary: GET /pets/1/{id}")
    assert change.data.operations["op00000001"].integration.type == "http_proxy"


def test_a_policy_that_cannot_be_compiled_keeps_the_former_entry() -> None:
    version = make_version()
    deployment = make_deployment(version, compiled={"operations": [operation()]})
    stage = make_stage(version, deployment=deployment, policy={"cache": {"time": 5}})
    change = next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")
    assert (change.data, "KeyError" in change.problem) == (None, True)


def test_a_backend_carries_all_its_servers() -> None:
    backend = make_backend(
        url="http://a:1/x",
        weight=3,
        targets=[{"url": "http://b:2/x", "weight": 1}],
        health={"failures": 2, "rest_ms": 500},
    )
    (change,) = compiler.backends([backend.pk])
    first = shapes.Target("http", "a", 1, "/x")
    assert change.data.target == first
    assert change.data.targets == [
        shapes.WeightedTarget(first, 3),
        shapes.WeightedTarget(shapes.Target("http", "b", 2, "/x"), 1),
    ]
    assert change.data.health == shapes.Health(2, 500)


def test_a_backends_retries_hold_where_no_policy_speaks_of_retries() -> None:
    organization = make_organization()
    backend = make_backend(organization, retries={"attempts": 2, "on": ["error"]})
    version = make_version()
    version.organization = organization
    version.save()
    to_it = {"type": "http_proxy", "backend": backend.pk}
    own = operation(2, integration=to_it, policy={"retries": None})
    compiled = {"operations": [operation(integration=to_it), own]}
    stage = make_stage(version, deployment=make_deployment(version, compiled=compiled))
    change = next(change for change in compiler.stages([stage.pk]) if change.kind == "stage")
    operations = change.data.operations
    assert operations["op00000001"].policy == shapes.Policy(retries=shapes.Retries(2, ["error"]))
    assert operations["op00000002"].policy is None


def test_authorizers_of_the_deployment_and_of_the_canary() -> None:
    mine = {
        "kind": "token",
        "function": "arn:f",
        "identity": ["method.request.header.A"],
        "validation": "",
        "ttl": 9,
    }
    made = entry(operation(authorizer="mine"), operation(2), compiled={"authorizers": {"mine": mine}})
    assert made.authorizers == {
        "mine": shapes.Authorizer("token", "arn:f", ["method.request.header.A"], "", 9)
    }
    assert [each.authorizer for each in made.operations.values()] == ["mine", ""]
