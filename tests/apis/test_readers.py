"""The document that developers read."""

import pytest

from apis.openapi import parse
from apis.openapi.readers import document_for_readers
from tests.apis.factories import KEY_SCHEME, document, text_of

ADDRESS = "http://localhost:8080/shop/v1"


def readers(source, keyed=(), unserved=None):
    return document_for_readers(source, address=ADDRESS, keyed=set(keyed), unserved=unserved or {})


def test_swagger_names_the_gateway_as_host_and_base_path():
    shown = readers(parse(text_of("shop.swagger.yaml")), keyed=[("GET", "/orders")])
    assert (shown["host"], shown["basePath"], shown["schemes"]) == ("localhost:8080", "/shop/v1", ["http"])
    assert shown["securityDefinitions"] == KEY_SCHEME
    assert shown["paths"]["/orders"]["get"]["security"] == [{"api_key": []}]
    assert "security" not in shown["paths"]["/orders/{id}"]["get"]


def test_openapi_names_the_gateway_as_its_server_and_has_no_extensions_of_aws():
    source = parse(text_of("shop.openapi30.json"))
    shown = readers(source, keyed=[("ANY", "/any")], unserved={("POST", "/lambda"): "Not yet."})
    assert shown["servers"] == [{"url": ADDRESS}]
    assert "x-amazon" not in str(shown)
    assert list(shown["paths"]["/any"]) == ["get", "post", "put", "patch", "delete"]
    assert shown["paths"]["/any"]["post"]["operationId"] == "anything_post"
    assert shown["paths"]["/any"]["post"]["security"] == [{"api_key": []}]
    assert shown["paths"]["/items/{id}"]["get"]["security"] == []
    unserved = shown["paths"]["/lambda"]["post"]
    assert unserved["x-gatehouse-not-served"] == "Not yet."
    assert unserved["description"] == "**Not served by this gateway yet.** Not yet."
    assert "x-amazon-apigateway-integration" in str(source.data)


def test_the_backends_own_schemes_and_names_that_authors_chose_stay():
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    model = {"properties": {"x-amazon-id": {"type": "string"}}, "x-amazon-note": 1}
    paths = {
        "/a": {"servers": [{"url": "https://b"}], "get": {"servers": [{}], "security": [{"bearer": []}]}}
    }
    source = document(paths, components={"securitySchemes": schemes, "schemas": {"M": model}})
    shown = readers(source, keyed=[("GET", "/a")])
    assert shown["paths"]["/a"] == {"get": {"security": [{"bearer": [], "api_key": []}]}}
    assert shown["components"]["schemas"]["M"] == {"properties": {"x-amazon-id": {"type": "string"}}}


def test_a_document_without_info_gets_what_a_reader_needs():
    assert readers(parse('{"openapi": "3.0", "paths": {}}'))["info"] == {"title": "API", "version": "1"}


@pytest.mark.parametrize(
    ("source", "scheme"),
    [
        ({"place": "query", "name": "key"}, {"type": "apiKey", "name": "key", "in": "query"}),
        ({"place": "header", "name": "x-shop"}, {"type": "apiKey", "name": "x-shop", "in": "header"}),
        ({"place": "bearer"}, {"type": "http", "scheme": "bearer"}),
    ],
)
def test_readers_see_where_the_key_goes_and_no_policies(source, scheme):
    policy = {"ip": {"deny": ["192.0.2.0/24"]}}
    given = document(
        {"/a": {"get": {"x-gatehouse-policy": policy}}},
        **{"x-gatehouse-key-source": source, "x-gatehouse-policy": policy},
    )
    shown = readers(given, keyed=[("GET", "/a")])
    assert shown["components"]["securitySchemes"] == {"api_key": scheme}
    assert shown["paths"]["/a"]["get"]["security"] == [{"api_key": []}]
    assert "x-gatehouse" not in str(shown)
    assert "192.0.2.0" not in str(shown)
