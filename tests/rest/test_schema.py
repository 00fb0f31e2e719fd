"""The API describes itself: OpenAPI 3.1, valid, complete, with its reference page."""

import io
import json
import re

import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from rest.examples import EXAMPLES
from rest.urls import RESOURCES, router


@pytest.fixture(scope="module")
def document():
    response = Client().get("/api/v1/openapi.json")
    assert response.status_code == 200
    return json.loads(response.content)


def test_the_document_is_valid_openapi_3_1(document):
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_the_generator_has_nothing_to_warn_of():
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=io.StringIO()
    )


def test_every_resource_and_action_is_described(document):
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    for name, viewset, _ in router.registry:
        for route in router.get_routes(viewset):
            for method in router.get_method_map(viewset, route.mapping):
                path = route.url.replace("{prefix}", name).replace("{lookup}", "{id}")
                path = path.removeprefix("^").removesuffix("{trailing_slash}$")
                path = re.sub(r"\(\?P<(\w+)>[^)]*\)", r"{\1}", path)
                assert (f"/api/v1/{path}", method) in described
    for path in ("requests", "requests/{request_id}", "usage", "usage/estimate", "keys/verify"):
        assert f"/api/v1/{path}" in document["paths"]


def test_every_operation_says_what_it_does_and_how_it_fails(document):
    tags = [tag["name"] for tag in document["tags"]]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["summary"], path
            assert operation["description"], path
            assert set(operation["tags"]) <= set(tags)
            assert operation["security"] == [{"token": []}]
            refused = operation["responses"]["422"]["content"]["application/problem+json"]
            assert refused["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert {"401", "403"} <= operation["responses"].keys()


def test_tags_are_in_the_order_of_the_story(document):
    tags = [tag["name"] for tag in document["tags"]]
    assert tags.index("apis") < tags.index("deployments") < tags.index("usage-plans") < tags.index("keys")
    assert tags.index("keys") < tags.index("usage") < tags.index("invoices")


def test_only_versions_take_uploads(document):
    uploads = {
        (path, method)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    }
    assert uploads == {("/api/v1/versions", "post"), ("/api/v1/versions/{id}", "patch")}


def test_what_is_made_has_an_example_that_names_only_fields_that_are_there(document):
    inputs = {viewset.create_input for viewset in RESOURCES.values() if viewset.create_input}
    assert inputs <= EXAMPLES.keys()
    for serializer, value in EXAMPLES.items():
        fields = {name for name, field in serializer().fields.items() if not field.read_only}
        assert value.keys() <= fields, serializer


def test_every_body_that_may_be_sent_has_an_example(document):
    without = [
        (method, path)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
        and not operation["requestBody"]["content"]["application/json"].get("examples")
    ]
    assert without == []


@pytest.mark.django_db
def test_the_reference_page_loads_nothing_from_elsewhere():
    response = Client().get("/api/v1/docs/")
    html = response.content.decode()
    assert response["Content-Type"].startswith("text/html")
    assert "script-src 'self'" in response["Content-Security-Policy"]
    sources = re.findall(r'(?:src|href)="([^"]+)"', html)
    assert sources
    assert all(source.startswith("/") for source in sources)
    assert not re.findall(r"<script(?![^>]*src=)", html), "a script lies in the page"
    script = Client().get("/api/v1/docs/?script=")
    assert script["Content-Type"] == "application/javascript"
    assert b"/api/v1/openapi.json" in script.content or b"openapi.json" in script.content
    for source in sources:
        if source.startswith("/static/"):
            assert finders.find(source.removeprefix("/static/")), source


def test_the_index_links_to_everything(stranger):
    found = stranger.get("").json()
    assert {*RESOURCES, "requests", "usage"} == found["resources"].keys()
    assert stranger.client.get(found["openapi"]).status_code == 200
    assert stranger.client.get(found["docs"]).status_code == 200
    assert stranger.client.get(found["problems"]).status_code == 200
