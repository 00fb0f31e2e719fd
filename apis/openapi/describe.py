"""An operation in words and rows, for a reference that is a plain page."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apis.openapi.document import follow

# what a page shows of a schema; the document has the rest
DEPTH = 3
MOST_ROWS = 60
FORM = "formData"


@dataclass(frozen=True, slots=True)
class Row:
    """A parameter or property. `place` is path, query, header or '' in a body; `name` of nested ones is `a.b[].c`."""

    name: str
    type: str
    required: bool
    text: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Body:
    """What is sent or answered. `type` names a body without properties, such as `array of string`."""

    media: str
    type: str
    rows: list[Row]
    text: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    status: str
    text: str
    body: Body | None


@dataclass(frozen=True, slots=True)
class Described:
    """One operation as readers see it; texts are Markdown as the document has them."""

    method: str
    path: str
    summary: str
    text: str
    deprecated: bool
    parameters: list[Row]
    body: Body | None
    answers: list[Answer]


def describe(data: dict[str, Any], method: str, path: str) -> Described | None:
    """Describe an operation (GET, path) of a document for readers; None = it is not there."""
    item = follow(data, data.get("paths", {}).get(path))[0] or {}
    operation = item.get(method.lower())
    if not isinstance(operation, dict):
        return None
    given = [
        follow(data, each)[0] or {} for each in [*_list(item, "parameters"), *_list(operation, "parameters")]
    ]
    # an operation's own parameter stands for its path's of the same name
    own = {(_text(each, "name"), _text(each, "in")): each for each in given}
    return Described(
        method=method,
        path=path,
        summary=_text(operation, "summary"),
        text=_text(operation, "description"),
        deprecated=operation.get("deprecated") is True,
        parameters=[_parameter(data, each) for each in own.values() if each.get("in") not in ("body", FORM)],
        body=_sent(data, operation, list(own.values())),
        answers=list(_answers(data, operation)),
    )


def _parameter(data: dict[str, Any], raw: dict[str, Any]) -> Row:
    schema = raw.get("schema", raw)
    return Row(
        name=_text(raw, "name"),
        type=type_of(data, schema),
        required=raw.get("required") is True,
        text=_text(raw, "description"),
        place=_text(raw, "in"),
    )


def _sent(data: dict[str, Any], operation: dict[str, Any], given: list[dict[str, Any]]) -> Body | None:
    body = follow(data, operation.get("requestBody"))[0]
    if body:
        return _content(data, body.get("content"), _text(body, "description"))
    media = (_list(operation, "consumes") or _list(data, "consumes") or ["application/json"])[0]
    for each in given:
        if each.get("in") == "body":
            return _body(data, str(media), each.get("schema"), _text(each, "description"))
    form = [_parameter(data, each) for each in given if each.get("in") == FORM]
    return Body(str(media), "form", form) if form else None


def _answers(data: dict[str, Any], operation: dict[str, Any]) -> Iterator[Answer]:
    responses = operation.get("responses")
    for status, raw in responses.items() if isinstance(responses, dict) else ():
        response = follow(data, raw)[0] or {}
        body = _content(data, response.get("content"))
        if body is None and isinstance(response.get("schema"), dict):
            body = _body(data, "application/json", response["schema"])
        yield Answer(str(status), _text(response, "description"), body)


def _content(data: dict[str, Any], content: Any, text: str = "") -> Body | None:
    if not isinstance(content, dict) or not content:
        return None
    media = next((each for each in content if "json" in each), next(iter(content)))
    schema = content[media].get("schema") if isinstance(content[media], dict) else None
    return _body(data, media, schema, text)


def _body(data: dict[str, Any], media: str, schema: Any, text: str = "") -> Body:
    rows = list(_properties(data, schema, "", DEPTH))
    return Body(media, type_of(data, schema), rows[:MOST_ROWS], text)


def _properties(data: dict[str, Any], schema: Any, before: str, depth: int) -> Iterator[Row]:
    whole = _whole(data, schema)
    if depth and whole.get("items"):
        yield from _properties(data, whole["items"], f"{before}[]", depth)
    properties = whole.get("properties")
    if not depth or not isinstance(properties, dict):
        return
    needed = _list(whole, "required")
    for name, each in properties.items():
        path = f"{before}.{name}" if before else name
        text = _text(_whole(data, each), "description")
        yield Row(path, type_of(data, each), name in needed, text)
        yield from _properties(data, each, path, depth - 1)


def type_of(data: dict[str, Any], schema: Any) -> str:
    """Return `string (date-time)`, `array of integer`, `one of a, b`, `object`."""
    whole = _whole(data, schema)
    values = _list(whole, "enum")
    if values:
        shown = ", ".join(str(each) for each in values[:12])
        return f"one of {shown}{', …' if len(values) > 12 else ''}"
    found = whole.get("type")
    words = (
        " or ".join(map(str, found)) if isinstance(found, list) else found if isinstance(found, str) else ""
    )
    if words == "array":
        # not deeper: arrays may hold themselves
        inner = _whole(data, whole.get("items"))
        return f"array of {_text(inner, 'type') or 'anything'}"
    words = words or ("object" if "properties" in whole else "anything")
    return f"{words} ({whole['format']})" if isinstance(whole.get("format"), str) else words


def _whole(data: dict[str, Any], schema: Any) -> dict[str, Any]:
    """Follow the reference, and lay the parts of allOf over one another."""
    found = follow(data, schema)[0] or {}
    parts = _list(found, "allOf")
    if not parts:
        return found
    properties: dict[str, Any] = {}
    required: list[Any] = []
    whole: dict[str, Any] = {}
    for part in [*parts, {name: value for name, value in found.items() if name != "allOf"}]:
        flat = follow(data, part)[0] or {}
        properties |= flat["properties"] if isinstance(flat.get("properties"), dict) else {}
        required += _list(flat, "required")
        whole |= flat
    return whole | {"properties": properties, "required": required}


def _list(holder: dict[str, Any], name: str) -> list[Any]:
    value = holder.get(name)
    return value if isinstance(value, list) else []


def _text(holder: dict[str, Any], name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
