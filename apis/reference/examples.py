"""Example values by schema: what the document gives, else something that its types allow."""

from collections.abc import Mapping
from typing import Any

from apis.openapi.document import follow

DEEPEST = 6
BY_FORMAT = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "P1D",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uri-reference": "/example",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "byte": "ZXhhbXBsZQ==",
    "binary": "example",
    "password": "a-secret",
}


def example_of(data: dict[str, Any], schema: Any, *, sent: bool, depth: int = 0) -> Any:
    """Return a value for a schema. `sent` = for a request: read-only properties are left out; else write-only ones."""
    found = follow(data, schema)[0]
    if found is None or depth > DEEPEST:
        return None
    given = given_example(found)
    if given is not None:
        return given
    merged = merged_all_of(data, found)
    for key in ("oneOf", "anyOf"):
        choices = merged.get(key)
        if isinstance(choices, list) and choices and "properties" not in merged:
            return example_of(data, _first_real(choices), sent=sent, depth=depth + 1)
    return _by_type(data, merged, sent=sent, depth=depth)


def given_example(schema: Mapping[str, Any]) -> Any:
    """Return the value that a schema, parameter or media type names itself; None = none."""
    if schema.get("example") is not None:
        return schema["example"]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    if isinstance(examples, dict):
        for each in examples.values():
            if isinstance(each, dict) and "value" in each:
                return each["value"]
    if schema.get("const") is not None:
        return schema["const"]
    if schema.get("default") is not None:
        return schema["default"]
    choices = schema.get("enum")
    return choices[0] if isinstance(choices, list) and choices else None


def type_of(schema: Mapping[str, Any]) -> str:
    """Return the schema's type in one word; '' = any. Of several types the first that is not null."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((each for each in kind if each != "null"), "null")
    if isinstance(kind, str):
        return kind
    if "properties" in schema or "additionalProperties" in schema:
        return "object"
    return "array" if "items" in schema else ""


def merged_all_of(data: dict[str, Any], schema: dict[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return the schema with its `allOf` taken in: properties and required names together, else the last word."""
    parts = schema.get("allOf")
    if not isinstance(parts, list) or depth > DEEPEST:
        return schema
    own = {key: value for key, value in schema.items() if key != "allOf"}
    merged: dict[str, Any] = {}
    for raw in [*parts, own]:
        part = follow(data, raw)[0]
        if part is None:
            continue
        part = merged_all_of(data, part, depth + 1)
        properties = {**_object(merged.get("properties")), **_object(part.get("properties"))}
        required = [*_list(merged.get("required")), *_list(part.get("required"))]
        merged = {**merged, **part}
        if properties:
            merged["properties"] = properties
        if required:
            merged["required"] = list(dict.fromkeys(str(each) for each in required))
    return merged


def _by_type(data: dict[str, Any], schema: dict[str, Any], *, sent: bool, depth: int) -> Any:
    kind = type_of(schema)
    if kind == "object":
        return _an_object(data, schema, sent=sent, depth=depth)
    if kind == "array":
        item = example_of(data, schema.get("items", {}), sent=sent, depth=depth + 1)
        return [] if item is None else [item]
    if kind in ("integer", "number"):
        return _a_number(schema, kind)
    if kind == "boolean":
        return True
    return None if kind == "null" else _a_text(schema)


def _an_object(data: dict[str, Any], schema: dict[str, Any], *, sent: bool, depth: int) -> dict[str, Any]:
    made: dict[str, Any] = {}
    required = _list(schema.get("required"))
    hidden = "readOnly" if sent else "writeOnly"
    for name, raw in _object(schema.get("properties")).items():
        found = follow(data, raw)[0]
        if found is None or found.get(hidden) is True:
            continue
        if depth >= DEEPEST and name not in required:
            continue
        value = example_of(data, raw, sent=sent, depth=depth + 1)
        if value is not None or name in required:
            made[name] = value
    more = schema.get("additionalProperties")
    if not made and isinstance(more, dict):
        value = example_of(data, more, sent=sent, depth=depth + 1)
        return {} if value is None else {"name": value}
    return made


def _a_number(schema: dict[str, Any], kind: str) -> float:
    step = _number(schema.get("multipleOf")) or (1 if kind == "integer" else 0)
    low, above = _number(schema.get("minimum")), _number(schema.get("exclusiveMinimum"))
    high = _number(schema.get("maximum"))
    value: float = 1 if kind == "integer" else 1.5
    if step and step != 1:
        value = step
    if schema.get("exclusiveMinimum") is True and low is not None:
        above = low
    if low is not None and value < low:
        value = low
    if above is not None and value <= above:
        value = above + (step or 1)
    if high is not None and value > high:
        value = high
    return int(value) if kind == "integer" else value


def _a_text(schema: dict[str, Any]) -> str:
    text = BY_FORMAT.get(str(schema.get("format", "")), "example")
    shortest, longest = _number(schema.get("minLength")), _number(schema.get("maxLength"))
    if shortest is not None and len(text) < shortest <= 1_000:
        text = text.ljust(int(shortest), "e")
    return text[: int(longest)] if longest is not None and longest >= 0 else text


def _first_real(choices: list[Any]) -> Any:
    return next(
        (each for each in choices if not (isinstance(each, dict) and each.get("type") == "null")), choices[0]
    )


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
