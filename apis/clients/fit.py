"""A document without the slips that readers forgive and a generator does not."""

from typing import Any

from apis.openapi.document import follow
from apis.openapi.operations import KEYS
from apis.openapi.paths import variables_of
from apis.openapi.readers import AUTHORS_OWN

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")
MEANT = {
    "int": "integer",
    "int32": "integer",
    "int64": "integer",
    "long": "integer",
    "float": "number",
    "double": "number",
    "decimal": "number",
    "bool": "boolean",
    "str": "string",
    "text": "string",
    "date": "string",
    "file": "string",
    "dict": "object",
    "list": "array",
}
SCHEMA_WORDS = {"format", "items", "enum", "default", "example", "minimum", "description", "properties"}


def fit(data: dict[str, Any]) -> dict[str, Any]:
    """Return an OpenAPI 3.x document in which types are JSON Schema's, every path variable is declared, and every
    operation has an answer.

    `{proxy+}` becomes `{proxy}`. What names no known type says nothing about it.
    """
    made: dict[str, Any] = _typed(data)
    paths = made.get("paths")
    made["paths"] = {
        _plain(path): _item(made, path, item)
        for path, item in (paths.items() if isinstance(paths, dict) else ())
        if isinstance(item, dict)
    }
    return made


def _plain(path: str) -> str:
    return path.replace("+}", "}")


def _item(data: dict[str, Any], path: str, raw: dict[str, Any]) -> dict[str, Any]:
    item = dict(follow(data, raw)[0] or {})
    shared = _parameters(data, item.pop("parameters", None))
    for key, operation in item.items():
        if key.lower() not in KEYS or not isinstance(operation, dict):
            continue
        own = _parameters(data, operation.get("parameters"))
        named = {(each["in"], each["name"]): each for each in (*shared, *own)}
        for name in variables_of(_plain(path)):
            named.setdefault(("path", name), {"name": name, "in": "path", "schema": {"type": "string"}})
        used = set(variables_of(_plain(path)))
        item[key] = operation | {
            "parameters": [
                each | ({"required": True} if each["in"] == "path" else {})
                for each in named.values()
                if each["in"] != "path" or each["name"] in used
            ],
            "responses": operation.get("responses") or {"default": {"description": ""}},
        }
    return item


def _parameters(data: dict[str, Any], raw: Any) -> list[dict[str, Any]]:
    found = (follow(data, each)[0] for each in (raw if isinstance(raw, list) else ()))
    named = (each for each in found if each and isinstance(each.get("name"), str) and "in" in each)
    return [each | {"name": each["name"].removesuffix("+")} for each in named]


def _typed(value: Any, is_authors: bool = False) -> Any:
    if isinstance(value, list):
        return [_typed(each, is_authors) for each in value]
    if not isinstance(value, dict):
        return value
    made = {key: _typed(each, not is_authors and key in AUTHORS_OWN) for key, each in value.items()}
    kind = value.get("type")
    if not is_authors and isinstance(kind, str) and kind not in TYPES:
        if kind in MEANT:
            made["type"] = MEANT[kind]
        elif (
            value.keys() & SCHEMA_WORDS
            and "in" not in value
            and "flows" not in value
            and "scheme" not in value
        ):
            del made["type"]
    return made
