"""What a provider sets by verbs is what a real node does: entries go from the database to nginx."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from access.applications import create_application
from access.keys import create_key
from access.plans import create_plan
from access.subscribe import subscribe
from apis.backends import change_backend, create_backend
from apis.document_settings import change_document_settings, set_document_policy
from apis.models import Stage
from apis.policy.access_log import PRESETS
from apis.publish import change_stage, deploy, flush_cache, promote_canary, set_canary, set_operation_policy
from apis.versions import create_api, create_version, deprecate, replace_document
from gateway.entries import Entry
from nodes.entries import snapshot
from portal.embedded.ports import free_port
from tests.factories import make_organization
from tests.gateway.backends import Backend, FakeAgent
from tests.gateway.node import Node, node_folder, start_nginx, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def gate() -> Iterator[SimpleNamespace]:
    """A node, and two servers behind it."""
    with node_folder() as folder:
        node = start_nginx(folder, free_port())
        agent = FakeAgent(folder / "agent.sock")
        one, two = Backend("one"), Backend("two")
        try:
            yield SimpleNamespace(node=node, one=one, two=two)
            assert "lua entry thread aborted" not in node.errors()
        finally:
            for each in (one, two, agent, node):
                each.stop()


class Shop:
    """A version with a live stage; `send` hands the node what changed."""

    def __init__(self, gate: SimpleNamespace, **document: Any) -> None:
        self.node: Node = gate.node
        organization = make_organization()
        url = f"http://127.0.0.1:{gate.one.port}"
        self.backend = create_backend(organization=organization, name="B", url=url, actor=None)
        api = create_api(organization=organization, name="Shop", actor=None)
        self.version = create_version(
            api=api, name="v1", document=self.document(**document), backend=self.backend, actor=None
        )
        self.generation = 0
        self.deploy()

    @staticmethod
    def document(*paths: str, **more: Any) -> dict[str, Any]:
        items: dict[str, Any] = {path: {"get": {}, "post": {}} for path in paths or ("/a", "/b")}
        return {
            "openapi": "3.0.3",
            "info": {"title": "Shop", "version": "1"},
            "security": [],
            "paths": items,
        } | more

    @property
    def stage(self) -> Stage:
        return self.version.stages.get()

    def operation(self, path: str, method: str = "GET") -> Any:
        return self.version.operations.get(path=path, method=method)

    def deploy(self) -> None:
        deploy(version=self.version, actor=None)
        self.send()

    def send(self) -> None:
        changes = snapshot(after=self.generation)
        entries = [Entry(each.kind, each.key, each.generation, each.data) for each in changes.entries]
        answer = self.node.push(entries)
        assert answer.status == 200, answer.body
        self.generation = changes.generation

    def set(self, **settings: Any) -> None:
        change_stage(stage=self.stage, actor=None, **settings)
        self.send()

    def call(self, path: str = "/a", method: str = "GET", **more: Any) -> Any:
        return self.node.call(method, f"/shop/v1{path}", **more)


def statuses(shop: Shop, *paths: str) -> list[int]:
    return [shop.call(path).status for path in paths]


def test_addresses_are_kept_out_of_a_stage_and_let_in_to_one_operation(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    assert statuses(shop, "/a", "/b") == [200, 200]
    shop.set(policy={"ip": {"deny": ["127.0.0.0/8"]}})
    assert statuses(shop, "/a", "/b") == [403, 403]
    set_operation_policy(stage=shop.stage, operation=shop.operation("/a"), policy={"ip": None}, actor=None)
    shop.send()
    assert statuses(shop, "/a", "/b") == [200, 403]


def test_a_resource_policy_holds_from_the_deploy(gate: SimpleNamespace) -> None:
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "execute-api:Invoke",
        "Resource": "execute-api:/*",
    }
    deny = allow | {
        "Effect": "Deny",
        "Resource": "execute-api:/live/GET/a",
        "Condition": {"IpAddress": {"aws:SourceIp": "127.0.0.1"}},
    }
    shop = Shop(gate, **{"x-amazon-apigateway-policy": {"Statement": [allow, deny]}})
    assert statuses(shop, "/a", "/b") == [403, 200]


def test_answers_are_cached_by_their_keys_until_a_flush(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    shop.set(policy={"cache": {"ttl": 60, "keys": ["query.page"]}})
    before = len(gate.one.seen)
    for path in ("/a?page=1", "/a?page=1&other=2", "/a?page=2"):
        assert shop.call(path).status == 200
    assert len(gate.one.seen) == before + 2
    flush_cache(stage=shop.stage, actor=None)
    shop.send()
    assert shop.call("/a?page=1").status == 200
    assert len(gate.one.seen) == before + 3


def test_an_operation_has_a_throttle_a_bound_and_a_time_out_of_its_own(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    policies = {
        shop.operation("/a").pk: {"throttle": {"rate": 0.001, "burst": 2}},
        shop.operation("/b").pk: {"timeout_ms": 100},
        shop.operation("/b", "POST").pk: {"max_body": 3},
    }
    shop.set(operation_policies=policies)
    assert statuses(shop, "/a", "/a", "/a") == [200, 200, 429]
    assert shop.call("/b?sleep=1").status == 504
    assert [shop.call("/b", "POST", body=body).status for body in (b"abc", b"abcd")] == [200, 413]


def test_browsers_of_other_origins_are_answered_by_the_gate(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    shop.set(policy={"cors": {"origins": ["https://*.example.com"], "methods": ["GET"]}})
    headers = {"Origin": "https://a.example.com", "Access-Control-Request-Method": "GET"}
    preflight = shop.call(method="OPTIONS", headers=headers)
    assert preflight.status in (200, 204)
    assert preflight.headers["access-control-allow-origin"] == "https://a.example.com"
    answer = shop.call(headers={"Origin": "https://a.example.com"})
    assert answer.headers["access-control-allow-origin"] == "https://a.example.com"


def test_a_canary_gets_the_next_deploy_and_everybody_after_its_promotion(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    set_canary(stage=shop.stage, percent=0, actor=None)
    replace_document(version=shop.version, document=shop.document("/a", "/new"), actor=None)
    shop.deploy()
    assert statuses(shop, "/a", "/b", "/new") == [200, 200, 403]
    set_canary(stage=shop.stage, percent=100, actor=None)
    shop.send()
    assert statuses(shop, "/a", "/b", "/new") == [200, 403, 200]
    promote_canary(stage=shop.stage, actor=None)
    shop.send()
    assert statuses(shop, "/a", "/b", "/new") == [200, 403, 200]


def test_keys_and_refusals_are_as_the_document_says(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    change_document_settings(
        version=shop.version,
        key_source={"place": "query", "name": "key"},
        responses={
            "DEFAULT_4XX": {
                "status": 418,
                "headers": {"X-Why": "context.error.responseType"},
                "templates": {"application/json": '{"why":$context.error.messageString}'},
            }
        },
        actor=None,
    )
    shop.deploy()
    refused = shop.call("/nowhere")
    assert (refused.status, refused.json) == (418, {"why": "Missing Authentication Token"})
    assert refused.headers["x-why"] == "MISSING_AUTHENTICATION_TOKEN"


def test_a_policy_of_the_document_holds_from_the_deploy(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    set_document_policy(operation=shop.operation("/a"), policy={"ip": {"deny": ["127.0.0.1"]}}, actor=None)
    shop.send()
    assert statuses(shop, "/a", "/b") == [200, 200]
    shop.deploy()
    assert statuses(shop, "/a", "/b") == [403, 200]


def test_requests_and_answers_are_mapped(gate: SimpleNamespace) -> None:
    integration = {
        "type": "http_proxy",
        "httpMethod": "GET",
        "uri": f"http://127.0.0.1:{gate.one.port}/far/{{id}}/{{who}}",
        "requestParameters": {
            "integration.request.path.id": "method.request.path.id",
            "integration.request.path.who": "method.request.header.who",
            "integration.request.header.X-Stage": "context.stage",
            "integration.request.header.X-Set": "stageVariables.set",
            "integration.request.header.X-Unset": "stageVariables.unset",
            "integration.request.querystring.q": "'fixed'",
        },
        "responseParameters": {"default": {"remove:header.X-Backend": "''", "overwrite:header.X-New": "yes"}},
    }
    shop = Shop(gate, paths={"/x/{id}": {"get": {"x-amazon-apigateway-integration": integration}}})
    shop.set(variables={"set": "here"})
    answer = shop.call("/x/7", headers={"who": "me/you"})
    seen = answer.json
    assert seen["path"] == "/far/7/me%2Fyou?q=fixed"
    assert (seen["headers"]["x-stage"], seen["headers"]["x-set"]) == ("live", "here")
    assert "x-unset" not in seen["headers"]
    assert "x-backend" not in answer.headers
    assert answer.headers["x-new"] == "yes"


def test_calls_are_shared_out_over_a_backends_servers(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    further = [{"url": f"http://127.0.0.1:{gate.two.port}", "weight": 3}]
    change_backend(backend=shop.backend, targets=further, actor=None)
    shop.send()
    names = [shop.call().headers["x-backend"] for _ in range(40)]
    assert names.count("two") > names.count("one") > 0


def test_a_deprecated_version_says_so(gate: SimpleNamespace) -> None:
    shop = Shop(gate)
    deprecate(version=shop.version, actor=None)
    shop.send()
    assert shop.call().headers["deprecation"].startswith("@")


@pytest.mark.parametrize("place", ["query", "bearer", "header"])
def test_a_key_is_found_where_the_document_says_and_nowhere_else(gate: SimpleNamespace, place: str) -> None:
    shop = Shop(gate, security=None)
    source = {"place": place} | ({} if place == "bearer" else {"name": "x-shop"})
    change_document_settings(version=shop.version, key_source=source, actor=None)
    deploy(version=shop.version, actor=None)
    organization = shop.backend.organization
    plan = create_plan(organization=organization, name="P", stages=[shop.stage], actor=None)
    application = create_application(organization=organization, name="A", actor=None)
    subscribe(application=application, plan=plan, actor=None)
    _, key = create_key(application=application, name="k", actor=None)
    shop.send()
    calls: dict[str, Any] = {
        "query": ("/a?x-shop=" + key, {}),
        "bearer": ("/a", {"Authorization": f"Bearer {key}"}),
        "header": ("/a", {"X-Shop": key}),
        "nowhere": ("/a", {"x-api-key": key}),
    }
    found = {name: shop.call(path, headers=headers).status for name, (path, headers) in calls.items()}
    assert found == {name: 200 if name == place else 403 for name in calls}


@pytest.mark.parametrize("preset", PRESETS)
def test_the_access_log_is_written_in_every_preset(gate: SimpleNamespace, preset: str) -> None:
    shop = Shop(gate)
    shop.set(access_log=PRESETS[preset])
    request_id = shop.call("/a").headers["x-amzn-requestid"]
    path = shop.node.settings.access_log_folder / f"{shop.stage.pk}.log"
    wait_until(lambda: path.exists() and request_id in path.read_text(), seconds=3, what="a line")
    (line,) = path.read_text().splitlines()
    if preset == "JSON":
        assert json.loads(line)["resourcePath"] == "/a"
    assert "200" in line
