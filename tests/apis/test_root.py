"""What a document says for all of its operations."""

import pytest

from apis.openapi import DocumentError, parse
from apis.openapi.operations import read_operations
from apis.openapi.root import from_amazon, read_root, to_amazon
from apis.openapi.validation import remarks
from tests.apis.factories import aws_documents, document

PATHS = {"/a": {"get": {}}}


def test_the_extensions_at_the_root_are_read():
    given = document(
        PATHS,
        **{
            "x-gatehouse-policy": {"cache": {"ttl": 5}},
            "x-gatehouse-key-source": {"place": "query", "name": "key"},
            "x-amazon-apigateway-minimum-compression-size": 1_024,
            "x-amazon-apigateway-cors": {"allowOrigins": ["https://a.example"], "maxAge": 60},
            "x-amazon-apigateway-gateway-responses": {
                "THROTTLED": {
                    "statusCode": "503",
                    "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
                    "responseTemplates": {"text/plain": "slow down"},
                }
            },
        },
    )
    root = read_root(given)
    assert root.findings == []
    assert remarks(given, read_operations(given)[0]) == []
    assert root.policy == {
        "cache": {"ttl": 5},
        "cors": {"origins": ["https://a.example"], "methods": ["GET", "HEAD", "POST"], "max_age": 60},
    }
    assert root.key_source == {"place": "query", "name": "key"}
    assert root.compress_from == 1_024
    assert root.responses == {
        "THROTTLED": {
            "status": 503,
            "headers": {"Retry-After": "'1'"},
            "templates": {"text/plain": "slow down"},
        }
    }


def test_what_cannot_be_read_is_told_and_has_no_effect():
    given = document(
        PATHS,
        **{
            "x-amazon-apigateway-minimum-compression-size": -1,
            "x-amazon-apigateway-cors": {"allowOrigins": ["nowhere"]},
            "x-amazon-apigateway-gateway-responses": {"TEAPOT": {}, "THROTTLED": {"statusCode": "x"}},
            "x-amazon-apigateway-api-key-source": "PIGEON",
        },
    )
    root = read_root(given)
    assert (root.policy, root.responses, root.compress_from, root.key_source) == ({}, {}, None, None)
    assert [each.level for each in root.findings] == ["warning"] * 5
    assert read_operations(given)[0][0].unserved_reason == ""


@pytest.mark.parametrize("place", ["root", "operation"])
def test_a_policy_that_cannot_be_read_keeps_its_operations_unserved(place):
    policy = {"x-gatehouse-policy": {"ip": {"deny": ["everywhere"]}}}
    given = document(PATHS, **policy) if place == "root" else document({"/a": {"get": policy}})
    operations, findings = read_operations(given)
    assert "cannot be read (ip.deny.0)" in operations[0].unserved_reason
    assert any(each.level == "error" and each.pointer.endswith("/ip/deny/0") for each in findings)


def test_keys_that_an_authorizer_finds_leave_keyed_operations_unserved():
    given = document(
        {"/a": {"get": {}}, "/open": {"get": {"security": []}}},
        **{"x-amazon-apigateway-api-key-source": "AUTHORIZER"},
    )
    (keyed, free), findings = read_operations(given)
    assert "comes from an authorizer" in keyed.unserved_reason
    assert free.unserved_reason == ""
    assert any(each.pointer == "/x-amazon-apigateway-api-key-source" for each in findings)


def test_an_operations_own_policy_is_read():
    given = document({"/a": {"get": {"x-gatehouse-policy": {"cache": {"ttl": 9}}}}})
    assert read_operations(given)[0][0].policy == {"cache": {"ttl": 9}}


def test_a_gateway_response_in_amazons_words_and_back():
    ours = {"status": 429, "headers": {"X": "'y'"}, "templates": {"text/plain": "z"}}
    assert from_amazon(to_amazon(ours)) == ours
    assert from_amazon(to_amazon({})) == {}


@pytest.mark.parametrize("file", aws_documents())
def test_every_document_of_amazon_is_read_without_an_error(file):
    try:
        given = parse(file.read_bytes())
    except DocumentError:
        pytest.skip("it is no OpenAPI document")
    root = read_root(given)
    assert not [each for each in root.findings if each.level == "error"]


def test_a_scheme_for_the_documents_own_key_source_asks_for_a_key():
    schemes = {"mine": {"type": "apiKey", "name": "key", "in": "query"}}
    paths = {"/a": {"get": {"security": [{"mine": []}]}}}
    source = {"x-gatehouse-key-source": {"place": "query", "name": "key"}}
    with_source = document(paths, components={"securitySchemes": schemes}, **source)
    without = document(paths, components={"securitySchemes": schemes})
    assert read_operations(with_source)[0][0].key_required is True
    assert read_operations(without)[0][0].key_required is None
