"""Policies, canaries, the cache and backends with several servers, by REST."""

import pytest

from apis.models import Stage
from apis.publish import deploy
from tests.apis.factories import document, imported
from tests.factories import make_deployment, make_operation, make_stage
from tests.nodes.factories import make_node
from tests.rest.problems import fault, problem


@pytest.fixture
def stage(alice):
    version = imported(document({"/a": {"get": {}}, "/b": {"get": {}}}), organization=alice.organization)
    deploy(version=version, actor=None)
    return version.stages.get()


def test_settings_of_a_stage_are_changed_and_read_back(alice, stage):
    settings = {
        "policy": {"cache": {"ttl": 60}, "timeout_ms": 100},
        "operation_policies": {stage.version.operations.first().pk: {"cache": None}},
        "access_log": "$context.requestId $context.status",
        "compress_from": 1_024,
        "request_log": "sample",
    }
    found = alice.patch(f"stages/{stage.pk}", settings).json()
    assert {name: found[name] for name in settings} == settings
    assert (found["canary"], found["cache_epoch"], found["remarks"]) == (None, 0, [])
    assert found["nodes"]["problem"] == ""


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"policy": {"cache": {"ttl": 9_999}}}, "policy.cache.ttl"),
        ({"policy": "fast"}, "policy"),
        ({"policy": {"ip": {"deny": ["x"]}}}, "policy.ip.deny.0"),
        ({"operation_policies": {"0000000000": {}}}, "operation_policies.0000000000"),
        ({"access_log": "$context.status"}, "access_log"),
        ({"compress_from": 99_999_999}, "compress_from"),
        ({"request_log": "some"}, "request_log"),
    ],
)
def test_a_problem_names_the_field(alice, stage, settings, field):
    assert fault(alice.patch(f"stages/{stage.pk}", settings), field)
    assert Stage.objects.get().policy == {}


def test_what_get_shows_may_be_sent_back_and_changes_nothing(alice, stage):
    operation = stage.version.operations.first()
    alice.patch(f"stages/{stage.pk}", {"policy": {"cache": {"ttl": 60}}})
    policy = f"operations/{operation.pk}/policy"
    alice.send("PUT", f"stages/{stage.pk}/{policy}", {"policy": {"max_body": 9}})
    paths = {f"stages/{stage.pk}": "PATCH", f"versions/{stage.version_id}": "PATCH"}
    paths |= {f"operations/{operation.pk}": "PATCH", f"versions/{stage.version_id}/settings": "PATCH"}
    for path, method in (paths | {policy: "PUT", f"stages/{stage.pk}/{policy}": "PUT"}).items():
        before = alice.get(path).json()
        answer = alice.send(method, path, before)
        assert answer.status_code == 200, (path, answer.json())
        after = alice.get(path).json()
        assert {name for name in before if before[name] != after[name]} <= {"updated_at"}, path
    assert fault(alice.patch(f"stages/{stage.pk}", {"name": "other"}), "name")


def test_a_stage_that_a_node_refused_says_why(alice, stage):
    make_node(status={"problems": [{"name": f"entry stage {stage.pk}", "text": "it has no tree"}]})
    assert alice.get(f"stages/{stage.pk}").json()["nodes"] == {
        "live": 0,
        "up": 1,
        "problem": "it has no tree",
    }


def test_a_throttle_above_the_stages_own_is_told(alice, stage):
    policy = {"throttle": {"rate": 50, "burst": 1}}
    settings = {"throttle_rate": 10, "throttle_burst": 10, "policy": policy}
    (remark,) = alice.patch(f"stages/{stage.pk}", settings).json()["remarks"]
    assert remark.startswith("Every operation: 50 calls a second")


def test_an_operation_has_a_policy_of_its_own_on_a_stage(alice, stage):
    operation = stage.version.operations.first()
    alice.patch(f"stages/{stage.pk}", {"policy": {"cache": {"ttl": 60}, "max_body": 5}})
    path = f"stages/{stage.pk}/operations/{operation.pk}/policy"
    assert alice.get(path).json()["effective"] == {"cache": {"ttl": 60}, "max_body": 5}
    put = alice.send("PUT", path, {"policy": {"max_body": 9}})
    assert put.json() == {
        "operation": operation.pk,
        "policy": {"max_body": 9},
        "effective": {"cache": {"ttl": 60}, "max_body": 9},
        "levels": {
            "stage_operation": {"max_body": 9},
            "document_operation": {},
            "stage": {"cache": {"ttl": 60}, "max_body": 5},
            "document": {},
        },
    }
    assert fault(alice.send("PUT", path, {"policy": {"cache": {}}}), "policy.cache.ttl")
    assert alice.delete(path).status_code == 204
    assert alice.get(path).json()["policy"] == {}


def test_operations_of_others_and_of_other_versions_are_not_there(alice, charlie, stage):
    operation = stage.version.operations.first()
    path = f"stages/{stage.pk}/operations/{operation.pk}/policy"
    problem(charlie.get(path), 404)
    problem(charlie.send("PUT", path, {"policy": {}}), 404)
    other = make_operation(make_stage().version)
    problem(alice.get(f"stages/{stage.pk}/operations/{other.pk}/policy"), 404)


def test_a_canary_starts_changes_is_promoted_and_removed(alice, stage):
    newer = make_deployment(stage.version)
    path = f"stages/{stage.pk}/canary"
    started = alice.patch(path, {"deployment": newer.pk, "percent": 10, "variables": {"a": "b"}}).json()
    assert started["canary"] == {
        "deployment": newer.pk,
        "percent": 10.0,
        "variables": {"a": "b"},
        "use_cache": False,
    }
    assert alice.patch(path, {"percent": 20}).json()["canary"]["deployment"] == newer.pk
    assert fault(alice.patch(path, {"percent": 101}), "percent")
    promoted = alice.done(f"stages/{stage.pk}/promote-canary", {})
    assert (promoted["deployment"], promoted["canary"]["percent"]) == (newer.pk, 0)
    assert promoted["variables"] == {"a": "b"}
    assert alice.delete(path).json()["canary"] is None
    assert fault(alice.delete(path), "stage", "no_canary")


def test_a_cache_is_flushed(alice, stage):
    assert alice.done(f"stages/{stage.pk}/flush-cache", {})["cache_epoch"] == 1


def test_settings_of_a_document_are_changed_and_read_back(alice, stage):
    path = f"versions/{stage.version_id}/settings"
    nothing = {"policy": {}, "key_source": None, "responses": {}, "compress_from": None}
    assert alice.get(path).json() == nothing
    settings = {
        "policy": {"cors": {"origins": ["https://a.example"], "methods": ["GET"]}},
        "key_source": {"place": "bearer", "name": ""},
        "responses": {"THROTTLED": {"status": 503}},
        "compress_from": 0,
    }
    assert alice.patch(path, settings | {"key_source": {"place": "bearer"}}).json() == settings
    assert alice.get(path).json() == settings
    assert fault(alice.patch(path, {"responses": {"TEAPOT": {}}}), "responses.TEAPOT")
    assert alice.patch(path, dict.fromkeys(nothing)).json() == nothing


def test_an_operations_policy_is_written_into_the_document(alice, stage):
    operation = stage.version.operations.first()
    path = f"operations/{operation.pk}/policy"
    put = alice.send("PUT", path, {"policy": {"max_body": 9}})
    assert put.json() == {"operation": operation.pk, "policy": {"max_body": 9}}
    assert alice.get(path).json()["policy"] == {"max_body": 9}
    assert alice.delete(path).status_code == 204
    assert alice.get(path).json()["policy"] == {}


def test_a_backend_has_several_servers(alice):
    made = alice.made("backends", {"name": "Two", "url": "http://a/x", "targets": [{"url": "http://b"}]})
    assert made["targets"] == [{"url": "http://b/x", "weight": 1}]
    path = f"backends/{made['id']}"
    changed = alice.patch(path, {"health": {"failures": 1, "rest_ms": 500}, "retries": {"attempts": 1}})
    assert changed.json()["retries"] == {"attempts": 1, "on": ["error"]}
    assert fault(alice.patch(path, {"targets": [{"url": "https://b"}]}), "targets.0.url")
    assert fault(alice.patch(path, {"timeout_ms": 30_000}), "timeout_ms")


def test_a_token_that_only_reads_changes_no_policy(program, alice, stage):
    reader = program(alice.organization, read_only=True)
    operation = stage.version.operations.first()
    problem(reader.send("PUT", f"operations/{operation.pk}/policy", {"policy": {}}), 403)
    problem(reader.patch(f"stages/{stage.pk}/canary", {"percent": 1}), 403)
    assert reader.get(f"operations/{operation.pk}/policy").status_code == 200
