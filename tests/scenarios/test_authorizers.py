"""A Lambda authorizer from the document to the call: it says who may call, and names the key that a plan limits."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from access.applications import create_application
from access.keys import create_key, revoke_key
from access.plans import create_plan
from access.subscribe import subscribe
from apis.backends import create_backend
from apis.publish import deploy
from apis.versions import create_api, create_version
from gateway.entries import Entry
from nodes.entries import snapshot
from portal.embedded.ports import free_port
from tests.factories import make_organization
from tests.gateway.backends import Backend
from tests.gateway.lambda_service import LambdaService, answer, running_runtime, statement
from tests.gateway.node import Node, node_folder, start_nginx

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Iterator[SimpleNamespace]:
    """A node with its runtime, a backend, and Lambda."""
    service, backend = LambdaService(), Backend("one")
    with node_folder() as folder:
        node = start_nginx(folder, free_port())
        try:
            with running_runtime(folder, service.url):
                yield SimpleNamespace(node=node, service=service, backend=backend)
            assert "lua entry thread aborted" not in node.errors()
        finally:
            for each in (node, service, backend):
                each.stop()


def document(arn: str) -> dict[str, Any]:
    uri = f"arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    authorizer = {"type": "token", "authorizerUri": uri, "identityValidationExpression": "^Bearer "}
    schemes = {
        "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "people": {
            "type": "apiKey", "in": "header", "name": "Authorization",
            "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": authorizer,
        },
    }  # fmt: skip
    return {
        "openapi": "3.0.3",
        "info": {"title": "Shop", "version": "1"},
        "x-amazon-apigateway-api-key-source": "AUTHORIZER",
        "components": {"securitySchemes": schemes},
        "paths": {
            "/orders": {"get": {"security": [{"people": [], "api_key": []}]}},
            "/admin": {"get": {"security": [{"people": []}]}},
            "/keyed": {"get": {"security": [{"api_key": []}]}},
            "/open": {"get": {"security": []}},
        },
    }


def send(node: Node) -> None:
    changes = snapshot(after=0).entries
    pushed = node.push([Entry(each.kind, each.key, each.generation, each.data) for each in changes])
    assert pushed.status == 200, pushed.body


def test_an_authorizer_guards_operations_and_names_the_key(place: SimpleNamespace) -> None:
    keys: dict[str, str] = {}

    def function(event: dict[str, Any]) -> Any:
        name = event["authorizationToken"].removeprefix("Bearer ")
        more = {"usageIdentifierKey": keys[name]} if name in keys else {}
        return answer(
            statement("Allow", "*/GET/orders"), statement("Deny", "*/admin"), principal=name, **more
        )

    arn = place.service.add("people", function)
    organization = make_organization()
    url = f"http://127.0.0.1:{place.backend.port}"
    backend = create_backend(organization=organization, name="B", url=url, actor=None)
    api = create_api(organization=organization, name="Shop", actor=None)
    version = create_version(api=api, name="v1", document=document(arn), backend=backend, actor=None)
    deploy(version=version, actor=None)
    plan = create_plan(
        organization=organization,
        name="P",
        stages=[version.stages.get()],
        throttle_rate=0.001,
        throttle_burst=2,
        actor=None,
    )
    application = create_application(organization=make_organization(), name="App", actor=None)
    subscribe(application=application, plan=plan, actor=None)
    key, keys["ann"] = create_key(application=application, name="k", actor=None)
    send(place.node)

    def call(path: str, token: str = "") -> int:
        headers = {"Authorization": token} if token else {}
        status: int = place.node.call("GET", f"/shop/v1{path}", headers=headers, key=keys["ann"]).status
        return status

    assert [call("/orders"), call("/orders", "ann"), call("/open")] == [401, 401, 200]
    assert call("/keyed") == 500
    assert place.service.seen == []
    assert [call("/orders", "Bearer ann"), call("/admin", "Bearer ann")] == [200, 403]
    assert call("/orders", "Bearer stranger") == 403
    assert [call("/orders", "Bearer ann") for _ in range(2)] == [200, 429]
    assert len(place.service.seen) == 2
    assert place.backend.seen[-1]["headers"]["x-gatehouse-key"] == key.pk
    revoke_key(key=key, actor=None)
    send(place.node)
    assert call("/orders", "Bearer ann") == 403
