"""A part of a document tells nothing of the rest, and is described in rows. Pure."""

from apis.openapi.describe import describe
from apis.openapi.excerpt import excerpt

SWAGGER = {
    "swagger": "2.0",
    "info": {"title": "Pets", "version": "1"},
    "tags": [{"name": "secret"}],
    "consumes": ["application/json"],
    "paths": {
        "/pets": {
            "parameters": [{"name": "trace", "in": "header", "type": "string"}],
            "post": {
                "parameters": [{"name": "pet", "in": "body", "schema": {"$ref": "#/definitions/Pet"}}],
                "responses": {"201": {"description": "Made.", "schema": {"$ref": "#/definitions/Pet"}}},
                "security": [{"key": []}],
            },
            "delete": {"responses": {"200": {"schema": {"$ref": "#/definitions/Secret"}}}},
        },
        "/secrets": {"get": {"responses": {}}},
    },
    "definitions": {
        "Pet": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "description": "Of the pet."},
                "kind": {"enum": ["cat", "dog"]},
                "owner": {"$ref": "#/definitions/Owner"},
                "young": {"type": "array", "items": {"$ref": "#/definitions/Pet"}},
            },
        },
        "Owner": {
            "allOf": [{"properties": {"id": {"type": "integer", "format": "int64"}}, "required": ["id"]}]
        },
        "Secret": {"type": "object"},
    },
    "securityDefinitions": {"key": {"type": "apiKey"}, "hidden": {"type": "basic"}},
}
MODERN = {
    "openapi": "3.1.0",
    "paths": {
        "/feed": {
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Since"},
                    {
                        "name": "limit",
                        "in": "query",
                        "required": True,
                        "schema": {"type": ["integer", "null"]},
                    },
                ],
                "responses": {"200": {"$ref": "#/components/responses/Feed"}},
            },
            "post": {
                "requestBody": {
                    "content": {"application/x-www-form-urlencoded": {"schema": {"type": "string"}}}
                }
            },
        }
    },
    "webhooks": {"hidden": {}},
    "components": {
        "parameters": {
            "Since": {"name": "since", "in": "query", "schema": {"type": "string", "format": "date"}},
            "Other": {"name": "other", "in": "query"},
        },
        "responses": {
            "Feed": {
                "description": "Items.",
                "content": {
                    "application/json": {
                        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}
                    }
                },
            }
        },
        "schemas": {
            "Item": {
                "type": "object",
                "properties": {"id": {"type": "string"}},
                "discriminator": {"mapping": {"a": "#/components/schemas/A"}},
            },
            "A": {"type": "object"},
            "B": {"type": "object"},
        },
        "securitySchemes": {"hidden": {"type": "http"}},
    },
}


def test_what_nothing_leads_to_any_more_is_left_out():
    found = excerpt(SWAGGER, {("POST", "/pets")})
    assert list(found["paths"]["/pets"]) == ["parameters", "post"]
    assert list(found["definitions"]) == ["Pet", "Owner"]
    assert list(found["securityDefinitions"]) == ["key"]
    assert "tags" not in found
    modern = excerpt(MODERN, {("GET", "/feed")})
    assert list(modern["components"]["parameters"]) == ["Since"]
    assert list(modern["components"]["schemas"]) == ["Item", "A"]
    assert modern["components"]["securitySchemes"] == {}
    assert "webhooks" not in modern
    # the document itself stays whole
    assert list(SWAGGER["paths"]["/pets"]) == ["parameters", "post", "delete"]


def test_an_operation_is_described_in_rows():
    found = describe(SWAGGER, "POST", "/pets")
    assert [(each.name, each.place, each.type) for each in found.parameters] == [
        ("trace", "header", "string")
    ]
    rows = [(each.name, each.type, each.required) for each in found.body.rows]
    assert rows[:5] == [
        ("name", "string", True),
        ("kind", "one of cat, dog", False),
        ("owner", "object", False),
        ("owner.id", "integer (int64)", True),
        ("young", "array of object", False),
    ]
    # pets hold pets, so rows end somewhere
    assert len(rows) <= 60
    assert found.body.rows[0].text == "Of the pet."
    assert [(each.status, each.text, each.body.type) for each in found.answers] == [
        ("201", "Made.", "object")
    ]


def test_references_are_followed_everywhere():
    found = describe(MODERN, "GET", "/feed")
    told = [(each.name, each.type, each.required) for each in found.parameters]
    assert told == [("since", "string (date)", False), ("limit", "integer or null", True)]
    answer = found.answers[0]
    assert (answer.text, answer.body.type, answer.body.rows[0].name) == ("Items.", "array of object", "[].id")
    assert describe(MODERN, "POST", "/feed").body.media == "application/x-www-form-urlencoded"
    assert describe(MODERN, "PUT", "/feed") is None
    assert describe({"paths": None} | MODERN, "GET", "/nope") is None
