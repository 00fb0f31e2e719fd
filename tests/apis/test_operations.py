"""Which operations a document has, and why some are not served."""

import pytest
from hypothesis import given, settings

from apis.openapi import Document, parse
from apis.openapi.findings import as_rows
from apis.openapi.operations import read_operations
from apis.openapi.validation import remarks
from tests.apis.factories import LAMBDA, aws_documents, document, text_of
from tests.apis.test_parse import JSON_VALUES, PLACEHOLDERS


def operations_by_name(source: Document) -> dict:
    return {f"{each.method} {each.path}": each for each in read_operations(source)[0]}


def messages(source: Document) -> list[tuple[str, str, str]]:
    return [(each.level, each.pointer, each.message) for each in read_operations(source)[1]]


def test_operations_come_in_the_documents_order_with_what_it_says_of_them():
    operations = operations_by_name(parse(text_of("shop.openapi30.json")))
    assert list(operations) == ["GET /items/{id}", "GET /open", "POST /lambda", "ANY /any"]
    item = operations["GET /items/{id}"]
    assert (item.operation_id, item.key_required, item.unserved_reason) == ("getItem", True, "")
    assert item.integration.captures == {"id": 0, "item": 0}
    assert operations["GET /open"].key_required is False
    assert operations["ANY /any"].key_required is None
    assert "aws_proxy are not served yet" in operations["POST /lambda"].unserved_reason


@pytest.mark.parametrize("file", aws_documents())
def test_every_document_of_aws_sam_is_read(file):
    if file.stem in PLACEHOLDERS:
        pytest.skip("no OpenAPI document")
    given = parse(file.read_bytes())
    operations, findings = read_operations(given)
    described = sum(
        key
        in (
            "get",
            "put",
            "post",
            "delete",
            "options",
            "head",
            "patch",
            "any",
            "x-amazon-apigateway-any-method",
        )
        for item in (given.data.get("paths") or {}).values()
        for key in (item or {})
        if item[key] is not None
    )
    assert len(operations) == described
    assert all(
        each.unserved_reason for each in operations if each.integration.type in ("aws", "aws_proxy", "mock")
    )
    as_rows([*remarks(given, operations), *findings])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$default", "route $default"),
        ("pets", "begin with a slash"),
        ("/#Action=Do", "'#' or '?'"),
        ("/a?b", "'#' or '?'"),
        ("/{a", "braces"),
        ("/{}", "without a name"),
        ("/{a}{b}", "side by side"),
        ("/../x", "segment . or .."),
        ("/%ff", "not UTF-8"),
        ("/x\n", "control characters"),
        ("/{a+}/b", "greedy"),
        ("/x{a+}", "greedy"),
    ],
)
def test_a_path_that_no_call_can_reach_is_kept_but_not_served(path, reason):
    (operation,) = read_operations(document({path: {"get": {}}}))[0]
    assert reason in operation.unserved_reason
    assert not operation.reachable


@pytest.mark.parametrize(
    "path", ["/", "/a/", "/{a}.{b}", "/{proxy+}", "/a/{b}/{c+}", "/ü", "/a%20b", "/~a:b"]
)
def test_ordinary_and_odd_paths_are_served(path):
    (operation,) = read_operations(document({path: {"get": {}}}))[0]
    assert operation.reachable
    assert operation.unserved_reason == ""


def test_of_two_paths_that_differ_only_in_names_the_first_is_served():
    operations = operations_by_name(document({"/a/{x}": {"get": {}}, "/a/{y}": {"get": {}, "put": {}}}))
    assert {name: each.reachable for name, each in operations.items()} == {
        "GET /a/{x}": True,
        "GET /a/{y}": False,
        "PUT /a/{y}": True,
    }


def test_a_path_that_cannot_be_stored_is_left_out_with_an_error():
    given = document({"/\x00": {"get": {}}, "/" + "x" * 2_000: {"get": {}}, "/b\ud800": {"get": {}}})
    operations, findings = read_operations(given)
    assert operations == []
    assert [each["level"] for each in as_rows(findings)] == ["error"] * 3


def test_path_items_may_be_null_or_references():
    paths = {
        "/a": None,
        "/b": {"$ref": "#/components/pathItems/b"},
        "/c": {"$ref": "other.yaml"},
        "/d": {"$ref": "#/paths/~1d"},
        "/e": {"Fn::If": ["x", {}, {}]},
        "/f": {"get": "text", "put": None},
    }
    given = document(paths, components={"pathItems": {"b": {"get": {"summary": "B"}}}})
    unreadable = "The path cannot be read"
    assert list(operations_by_name(given)) == ["GET /b"]
    assert messages(given) == [
        (
            "warning",
            "/paths/~1c",
            f"{unreadable}: the reference 'other.yaml' leads out of the document.",
        ),
        ("warning", "/paths/~1d", f"{unreadable}: its references go in a circle."),
        ("warning", "/paths/~1e/Fn::If", "'Fn::If' is no method; it is left out."),
        ("warning", "/paths/~1f/get", "The operation is not an object; it is left out."),
    ]


def test_trace_is_never_served():
    (operation,) = read_operations(document({"/a": {"trace": {}}}))[0]
    assert not operation.reachable


def test_findings_name_their_place_once_and_worst_comes_first():
    given = document({"/a~b": {"get": {"x-amazon-apigateway-integration": LAMBDA}}})
    rows = as_rows([*remarks(given, []), *read_operations(given)[1]])
    reason = "Integrations of the type aws_proxy are not served yet."
    assert rows == [
        {"level": "warning", "pointer": "/paths", "message": "The document describes no operation."},
        {
            "level": "warning",
            "pointer": "/paths/~1a~0b/get/x-amazon-apigateway-integration",
            "message": f"Not served by this gateway yet: {reason}",
        },
    ]


def test_a_flood_of_findings_is_cut():
    given = document({f"/{n}": {"trace": {}} for n in range(600)})
    rows = as_rows(read_operations(given)[1])
    assert len(rows) == 501
    assert rows[-1]["message"] == "100 more findings are not shown."


@settings(max_examples=200, deadline=None)
@given(JSON_VALUES, JSON_VALUES, JSON_VALUES)
def test_whatever_stands_in_a_document_is_read_without_an_exception(item, operation, root):
    data = {
        "openapi": "3.0.0",
        "info": root,
        "paths": {"/a/{b}": {"get": operation, "parameters": item}, "/c": item},
        "components": root,
        "security": item,
        "securityDefinitions": root,
        "servers": operation,
        "x-amazon-apigateway-policy": item,
    }
    given = Document(data, "3.0")
    operations, findings = read_operations(given)
    as_rows([*remarks(given, operations), *findings])
