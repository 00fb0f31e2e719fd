"""Suggesting a backend from where a document says the API runs."""

import json

import pytest

from apis.openapi import parse
from apis.openapi.servers import suggest_backends
from tests.apis.factories import text_of

FROM = "http://127.0.0.1:8081/spec.json"


@pytest.mark.parametrize(
    ("name", "fetched_from", "expected"),
    [
        ("shop.swagger.yaml", "", ["https://shop.example.com/v2", "http://shop.example.com/v2"]),
        ("shop.openapi30.json", "", ["https://eu.example.com/v3"]),
        ("shop.openapi31.yaml", "", []),
        ("httpbin.json", FROM, ["https://httpbin.org"]),
    ],
)
def test_documents_suggest_their_servers(name, fetched_from, expected):
    assert suggest_backends(parse(text_of(name)), fetched_from) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"swagger": "2.0"}, ["http://127.0.0.1:8081"]),
        ({"swagger": "2.0", "basePath": "/v1/"}, ["http://127.0.0.1:8081/v1"]),
        ({"openapi": "3.0.0", "servers": [{"url": "/api"}]}, ["http://127.0.0.1:8081/api"]),
        ({"openapi": "3.0.0", "servers": [{"url": "ws://x"}, 3, {}, {"url": "http://[x"}]}, []),
        ({"openapi": "3.0.0", "servers": [{"url": "https://{unknown}.x"}]}, []),
        ({"swagger": "2.0", "host": "{not valid}", "schemes": 3}, []),
    ],
)
def test_relative_addresses_are_read_against_where_the_document_came_from(data, expected):
    assert suggest_backends(parse(json.dumps(data)), FROM) == expected
