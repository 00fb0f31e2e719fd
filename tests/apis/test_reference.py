"""What a reader is told of operations: parameters, bodies, answers, schemas, examples, who may call."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies as st

from apis.openapi import parse
from apis.openapi.upgrade import upgraded
from apis.openapi.yaml_reader import read_yaml
from apis.openapi.yaml_writer import write_yaml
from apis.reference import listing, read_operation
from apis.reference.examples import example_of
from apis.reference.listing import groups
from apis.reference.schemas import MOST_ROWS, schema_row

DOCUMENTS = Path(__file__).parent / "documents"
TREE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "id": {"type": "integer", "readOnly": True},
        "name": {"type": "string", "minLength": 3, "maxLength": 12, "description": "What it is called."},
        "kind": {"type": "string", "enum": ["oak", "elm"]},
        "parent": {"$ref": "#/components/schemas/Tree"},
        "leaves": {"type": "array", "items": {"allOf": [{"$ref": "#/components/schemas/Leaf"}]}},
        "secret": {"type": ["string", "null"], "writeOnly": True, "format": "password"},
    },
}
DATA = {
    "openapi": "3.1.0",
    "info": {"title": "Trees"},
    "tags": [{"name": "trees", "description": "All about trees."}],
    "security": [{"key": []}],
    "paths": {
        "/health": {"get": {"security": [], "summary": "Is it up?"}},
        "/trees/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
            "put": {
                "tags": ["trees"],
                "operationId": "putTree",
                "deprecated": True,
                "security": [{"key": []}, {"key": [], "login": []}],
                "parameters": [{"name": "dry", "in": "query", "schema": {"type": "boolean"}}],
                "requestBody": {
                    "required": True,
                    "content": {
                        "text/plain": {"schema": {"type": "string"}},
                        "application/json": {"schema": {"$ref": "#/components/schemas/Tree"}},
                    },
                },
                "responses": {
                    "200": {
                        "description": "The tree.",
                        "headers": {"ETag": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Tree"}}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
            },
        },
        "/trees/{id}/": {"get": {"tags": ["trees"]}},
    },
    "components": {
        "schemas": {"Tree": TREE, "Leaf": {"type": "object", "properties": {"green": {"type": "boolean"}}}},
        "responses": {"Missing": {"description": "No such tree."}},
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            "login": {"type": "http", "scheme": "basic", "description": "Yours."},
        },
    },
}


def test_the_list_has_an_address_for_each_operation_and_tags_in_the_documents_order() -> None:
    lines = listing(DATA)
    assert [(line.slug, line.tag) for line in lines] == [
        ("put-trees-id", "trees"),
        ("get-trees-id", "trees"),
        ("get-health", ""),
    ]
    assert [(tag, text, len(each)) for tag, text, each in groups(lines, DATA)] == [
        ("trees", "All about trees.", 2),
        ("Other operations", "", 1),
    ]
    twice = {"paths": {"/a/b": {"get": {}}, "/a-b": {"get": {}}}}
    assert [line.slug for line in listing(twice)] == ["get-a-b", "get-a-b--2"]


def test_an_operation_has_everything_that_a_caller_needs() -> None:
    found = read_operation(DATA, "PUT", "/trees/{id}")
    assert [(each.name, each.place, each.required, each.choices) for each in found.parameters] == [
        ("id", "path", True, ()),
        ("dry", "query", False, ("true", "false")),
    ]
    assert [each.media_type for each in found.bodies] == ["application/json", "text/plain"]
    assert found.bodies[0].example == {
        "name": "example",
        "kind": "oak",
        "parent": found.bodies[0].example["parent"],
        "leaves": [{"green": True}],
        "secret": "a-secret",
    }
    first, second = found.answers
    assert (first.status, first.media_type, first.headers[0].name) == ("200", "application/json", "ETag")
    assert '"id": 1' in first.example
    assert "secret" not in first.example
    assert (second.status, second.description) == ("404", "No such tree.")


def test_an_operation_says_which_key_opens_it() -> None:
    """The scheme that says what the gateway looks for is the gateway's; others are the API's own."""
    found = read_operation(DATA, "PUT", "/trees/{id}")
    assert [[(each.name, each.place, each.is_key) for each in way] for way in found.credentials] == [
        [("key", "header", True)],
        [("key", "header", True), ("login", "basic", False)],
    ]
    assert found.key
    assert [each.name for each in found.shown] == ["key"]
    assert read_operation(DATA, "GET", "/health").credentials == []
    elsewhere = read_operation(DATA, "PUT", "/trees/{id}", {"place": "query", "name": "key"})
    assert elsewhere.key is None


def test_a_schema_that_holds_itself_ends() -> None:
    row = schema_row(DATA, {"$ref": "#/components/schemas/Tree"})
    names = {each.name: each for each in row.children}
    assert names["parent"].type == "Tree"
    assert names["parent"].children == ()
    assert names["name"].required
    assert names["name"].notes == ("at least 3 characters", "at most 12 characters")
    assert names["kind"].notes == ("one of oak, elm",)
    assert names["secret"].notes == ("only in requests", "may be null")
    assert names["leaves"].type == "array of object"
    assert [each.name for each in names["leaves"].children] == ["green"]
    wide = {"type": "object", "properties": {f"p{number}": {} for number in range(2_000)}}
    assert len(schema_row({}, wide).children) == MOST_ROWS


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "integer", "minimum": 5}, 5),
        ({"type": "integer", "exclusiveMinimum": 5, "multipleOf": 5}, 10),
        ({"type": "number", "maximum": 0.5}, 0.5),
        ({"type": "string", "minLength": 9}, "exampleee"),
        ({"type": "string", "maxLength": 2}, "ex"),
        ({"type": "string", "format": "date"}, "2026-01-31"),
        ({"enum": ["b", "a"]}, "b"),
        ({"default": False, "type": "boolean"}, False),
        ({"anyOf": [{"type": "null"}, {"type": "boolean"}]}, True),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, {"name": 1}),
        ({"type": "array", "items": {"type": "string", "example": "x"}}, ["x"]),
        ({"$ref": "#/nowhere"}, None),
        (True, None),
    ],
)
def test_examples_are_values_that_the_schema_allows(schema: Any, example: Any) -> None:
    assert example_of({}, schema, sent=True) == example


@pytest.mark.parametrize("name", [each.name for each in DOCUMENTS.iterdir() if each.suffix != ".md"])
def test_every_operation_of_real_documents_can_be_read(name: str) -> None:
    data = upgraded(parse((DOCUMENTS / name).read_bytes()).data)
    lines = listing(data)
    assert lines
    assert len({line.slug for line in lines}) == len(lines)
    for line in lines:
        assert read_operation(data, line.method, line.path).path == line.path


def test_what_is_wrong_in_a_document_is_left_out() -> None:
    broken = {
        "tags": [1],
        "paths": {
            "/a": {
                "parameters": [7, {"$ref": "#/gone"}, {"in": "query"}],
                "get": {
                    "tags": "no list",
                    "security": [{"unknown": []}],
                    "requestBody": {"content": []},
                    "responses": {"200": None, "x-y": {}},
                },
            }
        },
    }
    found = read_operation(broken, "GET", "/a")
    assert (found.parameters, found.bodies, found.answers) == ([], [], [])
    assert [(each.name, each.place) for each in found.credentials[0]] == [("unknown", "other")]


def test_swagger_becomes_openapi() -> None:
    swagger = {
        "swagger": "2.0",
        "host": "api.example.com",
        "basePath": "/v1",
        "schemes": ["https"],
        "consumes": ["application/json"],
        "definitions": {"A": {"type": "object", "properties": {"b": {"$ref": "#/definitions/A"}}}},
        "parameters": {"page": {"name": "page", "in": "query", "type": "integer", "minimum": 1}},
        "securityDefinitions": {
            "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            "u": {"type": "basic"},
        },
        "paths": {
            "/a": {
                "parameters": [{"$ref": "#/parameters/page"}],
                "post": {
                    "parameters": [{"name": "a", "in": "body", "schema": {"$ref": "#/definitions/A"}}],
                    "responses": {200: {"description": "Yes", "schema": {"$ref": "#/definitions/A"}}},
                },
                "put": {
                    "parameters": [
                        {"name": "file", "in": "formData", "type": "file", "required": True},
                        {"name": "ids", "in": "query", "type": "array", "items": {"type": "string"}},
                    ]
                },
            }
        },
    }
    made = upgraded(swagger)
    ref = {"$ref": "#/components/schemas/A"}
    assert made["servers"] == [{"url": "https://api.example.com/v1"}]
    assert made["components"]["schemas"]["A"]["properties"]["b"] == ref
    assert made["components"]["securitySchemes"]["u"]["scheme"] == "basic"
    post, put = made["paths"]["/a"]["post"], made["paths"]["/a"]["put"]
    assert post["parameters"] == [
        {"name": "page", "in": "query", "schema": {"type": "integer", "minimum": 1}}
    ]
    assert post["requestBody"] == {"required": False, "content": {"application/json": {"schema": ref}}}
    assert post["responses"]["200"]["content"] == {"application/json": {"schema": ref}}
    form = put["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"] == {"type": "string", "format": "binary"}
    assert [each["explode"] for each in put["parameters"] if each["name"] == "ids"] == [False]
    assert upgraded(made) is made


# characters that YAML takes for something else, in any order
TEXT = st.text("aé \n\t:#-'\"[]{}&*!|>%@`,1eE.0x~?\\\u2028", max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
def test_yaml_says_the_same_as_json(value: Any) -> None:
    assert read_yaml(write_yaml({"value": value}), max_weight=10**6) == {"value": value}


YAML_WORDS = ["yes", "on", "null", "~", "1e3", "0x1f", "0o7", ".inf", "2024-01-01", "12:30", "=", "#", "a:"]


@pytest.mark.parametrize("text", [*YAML_WORDS, "a: b", " x", "x\n", "\n", "tab\there\n", "two\nlines", ""])
def test_yaml_keeps_text_text(text: str) -> None:
    assert read_yaml(write_yaml({text: text}), max_weight=10**6) == {text: text}
