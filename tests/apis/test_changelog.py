"""What breaks callers between two documents, and what does not."""

from itertools import pairwise
from typing import Any

import pytest

from apis.changelog import compare
from apis.openapi import Document, parse
from tests.apis.factories import aws_documents, document, text_of

QUERY = {"in": "query", "name": "size", "schema": {"type": "integer"}}


def said(before: Document, after: Document) -> list[tuple[str, str, bool]]:
    return [(each.kind, each.message, each.breaking) for each in compare(before, after)]


def one(operation: dict[str, Any], method: str = "get", **more: Any) -> Document:
    return document({"/pets": {method: operation}}, **more)


def taking(schema: dict[str, Any], **body: Any) -> Document:
    return one({"requestBody": body | {"content": {"application/json": {"schema": schema}}}}, "post")


def giving(schema: Any, status: str = "200") -> Document:
    return one({"responses": {status: {"content": {"application/json": {"schema": schema}}}}})


def thing(required: tuple[str, ...] = (), **properties: str) -> dict[str, Any]:
    found = {name: {"type": kind} for name, kind in properties.items()}
    return {"type": "object", "properties": found, "required": list(required)}


def test_operations_come_go_and_are_deprecated():
    before = document({"/a": {"get": {}}, "/b/{id}": {"get": {}}, "/c": {"get": {}}})
    after = document({"/b/{pet}": {"get": {"deprecated": True}}, "/c": {"get": {}}, "/d": {"post": {}}})
    assert [(each.kind, each.method, each.path, each.breaking) for each in compare(before, after)] == [
        ("removed", "GET", "/a", True),
        ("deprecated", "GET", "/b/{pet}", False),
        ("added", "POST", "/d", False),
    ]
    assert said(one({"deprecated": True}), one({})) == [("changed", "No longer deprecated.", False)]


@pytest.mark.parametrize(
    ("before", "after", "message", "breaking"),
    [
        ([], [QUERY], "The query parameter size is new.", False),
        ([], [QUERY | {"required": True}], "The query parameter size is new and must be sent.", True),
        ([QUERY], [QUERY | {"required": True}], "The query parameter size must be sent.", True),
        ([QUERY], [], "The query parameter size is gone.", False),
        (
            [QUERY],
            [QUERY | {"schema": {"type": "string"}}],
            "The query parameter size is string instead of integer.",
            True,
        ),
        (
            [QUERY],
            [QUERY | {"schema": {"type": "number"}}],
            "The query parameter size is number instead of integer.",
            False,
        ),
        (
            [QUERY],
            [QUERY | {"schema": {"type": "integer", "maximum": 9}}],
            "The query parameter size has the maximum 9.",
            True,
        ),
        (
            [QUERY | {"schema": {"type": "integer", "minimum": 9}}],
            [QUERY | {"schema": {"type": "integer", "minimum": 1}}],
            "The query parameter size has the minimum 1.",
            False,
        ),
        (
            [QUERY | {"schema": {"enum": ["a", "b"]}}],
            [QUERY | {"schema": {"enum": ["a"]}}],
            "The query parameter size is no longer b.",
            True,
        ),
    ],
)
def test_parameters(before, after, message, breaking):
    expected = [("changed", message, breaking)]
    assert said(one({"parameters": before}), one({"parameters": after})) == expected
    # what the path says for all its methods is the same
    paths = [document({"/pets": {"parameters": each, "get": {}}}) for each in (before, after)]
    assert said(*paths) == expected


def test_a_header_is_the_same_in_any_case():
    header = {"in": "header", "name": "X-Page", "schema": {"type": "string"}}
    assert not said(one({"parameters": [header]}), one({"parameters": [header | {"name": "x-page"}]}))


@pytest.mark.parametrize(
    ("before", "after", "message", "breaking"),
    [
        (thing(a="string"), thing(a="string", b="string"), "body.b is new.", False),
        (thing(a="string"), thing(("b",), a="string", b="string"), "body.b is new and must be sent.", True),
        (thing(a="string"), thing(("a",), a="string"), "body.a must be sent.", True),
        (thing(a="string", b="string"), thing(a="string"), "body.b is gone.", False),
        (thing(a="string"), thing(a="array"), "body.a is array instead of string.", True),
    ],
)
def test_bodies_that_are_sent(before, after, message, breaking):
    assert said(taking(before), taking(after)) == [("changed", message, breaking)]


@pytest.mark.parametrize(
    ("before", "after", "message", "breaking"),
    [
        (thing(a="string"), thing(a="string", b="string"), "answer 200.b is new.", False),
        (thing(a="string", b="string"), thing(a="string"), "answer 200.b is gone.", True),
        (thing(("a",), a="string"), thing(a="string"), "answer 200.a may be missing.", True),
        (thing(a="integer"), thing(a="number"), "answer 200.a is number instead of integer.", True),
        (thing(a="number"), thing(a="integer"), "answer 200.a is integer instead of number.", False),
        (
            {"type": "array", "items": thing(a="string")},
            {"type": "array", "items": thing(a="boolean")},
            "answer 200[].a is boolean instead of string.",
            True,
        ),
    ],
)
def test_answers_that_are_read(before, after, message, breaking):
    assert said(giving(before), giving(after)) == [("changed", message, breaking)]


def test_the_need_of_a_body_the_answers_and_who_may_call():
    assert said(taking({}), taking({}, required=True)) == [("changed", "A body must be sent.", True)]
    assert ("changed", "The answer 200 is gone.", True) in said(giving({}), giving({}, "404"))
    open_to_all, guarded = one({}), one({"security": [{"api_key": []}]})
    assert said(open_to_all, guarded) == [("changed", "Callers must show who they are.", True)]
    assert said(guarded, open_to_all) == [("changed", "Anybody may call it.", False)]


def test_references_and_all_of_are_followed_also_in_circles():
    def with_node(kind: str) -> Document:
        node = {
            "allOf": [
                thing(name=kind),
                {"properties": {"next": {"$ref": "#/components/schemas/Node"}}},
            ]
        }
        answer = giving({"$ref": "#/components/schemas/Node"})
        return Document(answer.data | {"components": {"schemas": {"Node": node}}}, "3.0")

    found = said(with_node("string"), with_node("integer"))
    assert ("changed", "answer 200.name is integer instead of string.", True) in found
    assert len(found) < 12
    assert not said(with_node("string"), with_node("string"))


def test_swagger_bodies_and_answers():
    def swagger(*, required: bool, kind: str) -> Document:
        operation = {
            "parameters": [{"in": "formData", "name": "file", "type": "string", "required": required}],
            "responses": {"200": {"description": "", "schema": thing(a=kind)}},
        }
        return Document({"swagger": "2.0", "info": {}, "paths": {"/pets": {"post": operation}}}, "2.0")

    assert said(swagger(required=False, kind="string"), swagger(required=True, kind="integer")) == [
        ("changed", "A body must be sent.", True),
        ("changed", "body.file must be sent.", True),
        ("changed", "answer 200.a is integer instead of string.", True),
    ]


def test_the_same_document_has_no_changes():
    for name in ("shop.swagger.yaml", "shop.openapi30.json", "httpbin.json"):
        assert compare(parse(text_of(name)), parse(text_of(name))) == []


def test_documents_of_strangers_can_be_compared():
    files = [each.values[0] for each in aws_documents() if each.values[0]]
    documents = [parse(file.read_bytes()) for file in files[:60]]
    for before, after in pairwise(documents):
        assert isinstance(compare(before, after), list)
        assert compare(after, after) == []
