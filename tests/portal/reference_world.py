"""A published API with operations of every kind, a developer on its plan, and a gateway node that tells what it got."""

import json
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from access.models import UsagePlan
from accounts.models import Organization, User
from apis.models import Stage
from tests.factories import (
    make_api,
    make_application,
    make_deployment,
    make_mapping,
    make_organization,
    make_plan,
    make_stage,
    make_subscription,
    make_user,
    make_version,
)

ORDER = {
    "type": "object",
    "required": ["item"],
    "properties": {"item": {"type": "string", "example": "tea"}, "count": {"type": "integer", "minimum": 1}},
}
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "Orders", "version": "1", "description": "All **orders**."},
    "paths": {
        "/orders/{id}": {
            "get": {
                "summary": "One order",
                "tags": ["orders"],
                "parameters": [
                    {
                        "name": "id",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string"},
                        "example": "a b",
                    },
                    {"name": "full", "in": "query", "schema": {"type": "boolean"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {"200": {"description": "It is here."}},
            },
            "put": {
                "tags": ["orders"],
                "requestBody": {"content": {"application/json": {"schema": ORDER}}},
                "responses": {},
            },
        },
        "/upload": {
            "post": {
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "type": "object",
                                "properties": {
                                    "note": {"type": "string"},
                                    "file": {"type": "string", "format": "binary"},
                                },
                            }
                        }
                    }
                }
            }
        },
        "/health": {"get": {"responses": {}}},
    },
}


@dataclass
class World:
    """`stage` is the live one; `bob` develops in `organization` with a subscription to `plan`."""

    stage: Stage
    plan: UsagePlan
    bob: User
    organization: Organization

    def place(self, operation: str = "get-orders-id") -> list[str]:
        """What the addresses of an operation's pages need."""
        return [self.stage.version.api.slug, self.stage.version.name, operation]


def make_world(*, document: dict[str, Any] | None = None, **subscription: Any) -> World:
    """Everything but /health needs a key."""
    version = make_version(make_api(name="Orders", slug="orders"), name="v1", document=document or DOCUMENT)
    operations = [
        {
            "id": f"op{number}",
            "method": method.upper(),
            "path": path,
            "key_required": path != "/health",
            "integration": {"type": "http_proxy"},
        }
        for number, (path, item) in enumerate(version.document["paths"].items())
        for method in item
    ]
    deployment = make_deployment(version, compiled={"operations": operations, "trie": {}})
    stage = make_stage(version, deployment=deployment)
    make_mapping(stage)
    plan = make_plan(stage)
    bob = make_user("bob")
    organization = make_organization(bob, name="Bob's")
    make_subscription(make_application(organization, name="Shop"), plan, **subscription)
    return World(stage, plan, bob, organization)


class Node:
    """A gateway node that keeps what it gets and answers what a test says."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []
        self.status = 200
        self.headers = {"Content-Type": "application/json", "x-amzn-RequestId": "req-1"}
        self.body = json.dumps({"b": [1, "é"]}).encode()
        node = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                node.seen.append(
                    {"method": self.command, "target": self.path, "headers": headers, "body": body}
                )
                self.send_response(node.status)
                for name, value in node.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(node.body)))
                self.end_headers()
                self.wfile.write(node.body)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close its port."""
        self.server.shutdown()
        self.server.server_close()
