"""Swagger 2.0 in the words of OpenAPI 3.0, for readers of documents that know only one edition."""

from typing import Any

from apis.openapi.document import follow
from apis.openapi.operations import KEYS

JSON = "application/json"
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
STYLES: dict[str, dict[str, Any]] = {
    "multi": {"style": "form", "explode": True},
    "csv": {"explode": False},
    "ssv": {"style": "spaceDelimited", "explode": False},
    "pipes": {"style": "pipeDelimited", "explode": False},
}
FLOWS = {"application": "clientCredentials", "accessCode": "authorizationCode"}
# what stands beside a parameter's schema; all else is the schema
BESIDE = ("name", "in", "description", "required", "collectionFormat", "allowEmptyValue")


def upgraded(data: dict[str, Any]) -> dict[str, Any]:
    """Return the document as OpenAPI 3.0; one that is 3.x already is returned itself.

    Local references to parameters and responses are followed on the way. What is no object where one must be
    is left out.
    """
    if "swagger" not in data:
        return data
    made: dict[str, Any] = {
        key: data[key] for key in ("info", "tags", "security", "externalDocs") if key in data
    }
    paths = {
        str(path): _item(data, item)
        for path, item in _object(data.get("paths")).items()
        if isinstance(item, dict)
    }
    components = {
        "schemas": _object(data.get("definitions")),
        "securitySchemes": {
            name: _scheme(each)
            for name, each in _object(data.get("securityDefinitions")).items()
            if isinstance(each, dict)
        },
    }
    whole = {"openapi": "3.0.3", **made, "servers": _servers(data), "paths": paths, "components": components}
    renamed: dict[str, Any] = _renamed(whole)
    return renamed


def _servers(data: dict[str, Any]) -> list[dict[str, str]]:
    host, path = data.get("host"), str(data.get("basePath") or "")
    schemes = data.get("schemes") or ["https"]
    return (
        [{"url": f"{each}://{host}{path}".rstrip("/")} for each in schemes]
        if host
        else [{"url": path or "/"}]
    )


def _item(data: dict[str, Any], item: dict[str, Any]) -> dict[str, Any]:
    item = follow(data, item)[0] or {}
    shared = _parameters(data, item)
    made: dict[str, Any] = {}
    for key, value in item.items():
        if key.lower() in KEYS and isinstance(value, dict):
            made[key] = _operation(data, value, shared)
        elif key != "parameters":
            made[key] = value
    return made


def _operation(
    data: dict[str, Any], operation: dict[str, Any], shared: list[dict[str, Any]]
) -> dict[str, Any]:
    own = _parameters(data, operation)
    named = {(each.get("in"), each.get("name")) for each in own}
    every = [*(each for each in shared if (each.get("in"), each.get("name")) not in named), *own]
    apart = ("parameters", "responses", "consumes", "produces", "schemes")
    made = {key: value for key, value in operation.items() if key not in apart}
    made["parameters"] = [_parameter(each) for each in every if each.get("in") not in ("body", "formData")]
    consumes = _texts(operation.get("consumes") or data.get("consumes"))
    body = next((each for each in every if each.get("in") == "body"), None)
    form = [each for each in every if each.get("in") == "formData"]
    if body is not None:
        media = {"schema": body.get("schema") or {}}
        made["requestBody"] = {
            **({"description": body["description"]} if "description" in body else {}),
            "required": body.get("required") is True,
            "content": dict.fromkeys(consumes or [JSON], media),
        }
    elif form:
        made["requestBody"] = _form(form, consumes)
    produces = _texts(operation.get("produces") or data.get("produces")) or [JSON]
    responses = _object(operation.get("responses"))
    made["responses"] = {str(status): _response(data, each, produces) for status, each in responses.items()}
    return made


def _parameters(data: dict[str, Any], owner: dict[str, Any]) -> list[dict[str, Any]]:
    raw = owner.get("parameters")
    found = (follow(data, each)[0] for each in (raw if isinstance(raw, list) else ()))
    return [each for each in found if each is not None]


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        key: given[key] for key in ("name", "in", "description", "required") if key in given
    }
    if given.get("type") == "array" and given.get("in") == "query":
        made |= STYLES.get(str(given.get("collectionFormat") or "csv"), {})
    return made | {"schema": _schema(given)}


def _form(fields: list[dict[str, Any]], consumes: list[str]) -> dict[str, Any]:
    has_file = any(each.get("type") == "file" for each in fields)
    media = MULTIPART if has_file or MULTIPART in consumes else FORM
    schema = {
        "type": "object",
        "properties": {
            str(each.get("name", "")): _schema(each)
            | ({"description": each["description"]} if "description" in each else {})
            for each in fields
        },
        "required": [str(each.get("name", "")) for each in fields if each.get("required") is True],
    }
    return {"required": bool(schema["required"]), "content": {media: {"schema": schema}}}


def _schema(given: dict[str, Any]) -> dict[str, Any]:
    """A parameter of Swagger 2.0 is its schema itself."""
    schema = {key: value for key, value in given.items() if key not in BESIDE and not key.startswith("x-")}
    return {**schema, "type": "string", "format": "binary"} if schema.get("type") == "file" else schema


def _response(data: dict[str, Any], raw: Any, produces: list[str]) -> dict[str, Any]:
    given = follow(data, raw)[0] or {}
    made: dict[str, Any] = {"description": given.get("description") or ""}
    if given.get("headers"):
        made["headers"] = {
            name: {"description": each.get("description") or "", "schema": _schema(each)}
            for name, each in _object(given["headers"]).items()
            if isinstance(each, dict)
        }
    if "schema" in given or "examples" in given:
        examples = _object(given.get("examples"))
        made["content"] = {
            media: {"schema": given.get("schema") or {}}
            | ({"example": examples[media]} if media in examples else {})
            for media in dict.fromkeys([*produces, *examples])
        }
    return made


def _scheme(given: dict[str, Any]) -> dict[str, Any]:
    kind = given.get("type")
    if kind == "basic":
        return {**given, "type": "http", "scheme": "basic"}
    if kind != "oauth2":
        return given
    flow = str(given.get("flow") or "implicit")
    details = {key: given[key] for key in ("authorizationUrl", "tokenUrl") if key in given}
    return {
        "type": "oauth2",
        "description": given.get("description") or "",
        "flows": {FLOWS.get(flow, flow): details | {"scopes": given.get("scopes") or {}}},
    }


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: each.replace("#/definitions/", "#/components/schemas/", 1)
            if key == "$ref" and isinstance(each, str)
            else _renamed(each)
            for key, each in value.items()
        }
    return [_renamed(each) for each in value] if isinstance(value, list) else value


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
