"""Reading one operation of a document."""

import json
import re
from collections.abc import Iterator
from typing import Any

from apis.openapi.document import Document, follow
from apis.openapi.operations import operation_objects
from apis.openapi.readers import NOT_SERVED
from apis.openapi.security_schemes import schemes_of
from apis.reference.examples import example_of, given_example, type_of
from apis.reference.model import Answer, Body, Credential, Operation, Parameter, is_json
from apis.reference.schemas import schema_row

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
PLACES = ("path", "query", "header", "cookie")
# headers that OpenAPI says no parameter describes: security and the body do
NO_PARAMETERS = ("accept", "content-type", "authorization")
LONGEST_EXAMPLE = 20_000
VARIABLE = re.compile(r"\{([^{}]+)\}")


def read_operation(
    data: dict[str, Any], method: str, path: str, key_source: dict[str, str] | None = None
) -> Operation:
    """Return an operation of an OpenAPI 3.x document; `key_source` is where the gateway looks for keys.

    Raises KeyError when it is not there.
    """
    raw = operation_objects(Document(data, "3.0"))[method, path]
    item = follow(data, data["paths"][path])[0] or {}
    return Operation(
        method=method,
        path=path,
        summary=_text(raw.get("summary")),
        description=_text(raw.get("description")),
        operation_id=_text(raw.get("operationId")),
        deprecated=raw.get("deprecated") is True,
        unserved=_text(raw.get(NOT_SERVED)),
        parameters=list(_parameters(data, raw, item, path)),
        bodies=list(_bodies(data, raw)),
        answers=list(_answers(data, raw)),
        credentials=_credentials(data, raw, key_source),
    )


def _parameters(
    data: dict[str, Any], raw: dict[str, Any], item: dict[str, Any], path: str
) -> Iterator[Parameter]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for owner in (item, raw):
        for each in _list(owner.get("parameters")):
            given = follow(data, each)[0] or {}
            found[_text(given.get("in")), _text(given.get("name"))] = given
    for name in VARIABLE.findall(path):
        # AWS's {proxy+} is declared as proxy; a variable that is not declared is one all the same
        bare = name.removesuffix("+")
        if ("path", name) not in found:
            found.setdefault(("path", bare), {"name": bare, "in": "path", "schema": {"type": "string"}})
    read = [_parameter(data, given) for (place, name), given in found.items() if place in PLACES and name]
    for each in sorted(read, key=lambda each: (not each.required, PLACES.index(each.place))):
        if each.place != "header" or each.name.lower() not in NO_PARAMETERS:
            yield each


def _parameter(data: dict[str, Any], given: dict[str, Any]) -> Parameter:
    schema = given.get("schema")
    example = given_example({key: given.get(key) for key in ("example", "examples")})
    for media in _object(given.get("content")).values():
        schema = schema or _object(media).get("schema")
    resolved = follow(data, schema)[0] or {}
    named = example if example is not None else resolved.get("example")
    required = given.get("required") is True or given["in"] == "path"
    choices = tuple(str(each) for each in _list(resolved.get("enum")))
    if type_of(resolved) == "boolean":
        choices = ("true", "false")
    default_explode = given.get("style", "form") == "form"
    return Parameter(
        name=given["name"],
        place=given["in"],
        required=required,
        description=_text(given.get("description")),
        row=schema_row(data, schema or {}, name=given["name"], required=required),
        example=named if named is not None else example_of(data, schema or {}, sent=True),
        shown=required or named is not None,
        choices=choices,
        explode=bool(given.get("explode", default_explode)),
    )


def _bodies(data: dict[str, Any], raw: dict[str, Any]) -> Iterator[Body]:
    body = follow(data, raw.get("requestBody"))[0]
    if body is None or raw.get("requestBody") is None:
        return
    content = _object(body.get("content"))
    for media_type in sorted(content, key=lambda name: not is_json(str(name))):
        media = _object(content[media_type])
        schema = media.get("schema") or {}
        example = given_example({key: media.get(key) for key in ("example", "examples")})
        yield Body(
            media_type=str(media_type),
            required=body.get("required") is True,
            description=_text(body.get("description")),
            row=schema_row(data, schema),
            example=example if example is not None else example_of(data, schema, sent=True),
            fields=tuple(_fields(data, schema)) if str(media_type) in FORMS else (),
        )


def _fields(data: dict[str, Any], schema: Any) -> Iterator[tuple[str, bool, bool]]:
    found = follow(data, schema)[0] or {}
    required = _list(found.get("required"))
    for name, each in _object(found.get("properties")).items():
        inner = follow(data, each)[0] or {}
        is_file = inner.get("format") == "binary" or "contentMediaType" in inner
        yield str(name), name in required, is_file


def _answers(data: dict[str, Any], raw: dict[str, Any]) -> Iterator[Answer]:
    for status, each in _object(raw.get("responses")).items():
        given = follow(data, each)[0]
        if given is None or str(status).startswith("x-"):
            continue
        content = _object(given.get("content"))
        headers = tuple(
            schema_row(data, _object(follow(data, header)[0]).get("schema") or {}, name=str(name))
            for name, header in _object(given.get("headers")).items()
        )
        description = _text(given.get("description"))
        if not content:
            yield Answer(str(status), description, headers=headers)
            continue
        media_type = min(content, key=lambda name: not is_json(str(name)))
        media = _object(content[media_type])
        schema = media.get("schema")
        example = given_example({key: media.get(key) for key in ("example", "examples")})
        if example is None and schema:
            example = example_of(data, schema, sent=False)
        text = example if isinstance(example, str) and not is_json(str(media_type)) else pretty(example)
        yield Answer(
            str(status),
            description,
            str(media_type),
            schema_row(data, schema) if schema else None,
            text if len(text) <= LONGEST_EXAMPLE else "",
            headers,
        )


def pretty(value: Any) -> str:
    """Return a JSON value as indented text; '' for None."""
    return "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)


def _credentials(
    data: dict[str, Any], raw: dict[str, Any], key_source: dict[str, str] | None
) -> list[list[Credential]]:
    schemes = schemes_of(data)
    asked = _list(raw.get("security", data.get("security")))
    ways = []
    for way in asked:
        names = [str(name) for name in _object(way)]
        ways.append(
            [_credential(name, follow(data, schemes.get(name))[0] or {}, key_source) for name in names]
        )
    return ways if all(ways) else []


def _credential(name: str, scheme: dict[str, Any], key_source: dict[str, str] | None) -> Credential:
    source = key_source or {"place": "header", "name": "x-api-key"}
    if source["place"] == "authorizer":
        source = {"place": "header", "name": "x-api-key"}
    kind, described = scheme.get("type"), _text(scheme.get("description"))
    place, field = _text(scheme.get("in")), _text(scheme.get("name"))
    if kind == "apiKey":
        wanted = "authorization" if source["place"] == "bearer" else source["name"].lower()
        same_place = place == ("header" if source["place"] == "bearer" else source["place"])
        is_key = same_place and field.lower() == wanted
        if is_key and source["place"] == "bearer":
            return Credential(name, "bearer", "Authorization", is_key=True, description=described)
        return Credential(name, place or "other", field, is_key=is_key, description=described)
    if kind == "http":
        way = _text(scheme.get("scheme")).lower()
        place = way if way in ("bearer", "basic") else "other"
        is_key = source["place"] == "bearer" and place == "bearer"
        return Credential(name, place, "Authorization", is_key=is_key, description=described)
    if kind in ("oauth2", "openIdConnect"):
        return Credential(name, "bearer", "Authorization", description=described)
    return Credential(name, "other", description=described)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
