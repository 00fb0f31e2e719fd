"""Schemas as rows for readers: name, type, whether it must be there, and its bounds in words."""

import json
from collections.abc import Iterator
from typing import Any

from apis.openapi.document import follow
from apis.reference.examples import merged_all_of, type_of
from apis.reference.model import SchemaRow

DEEPEST = 8
MOST_ROWS = 400
BOUNDS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} elements",
    "maxItems": "at most {} elements",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
    "pattern": "matches {}",
}
FLAGS = {
    "readOnly": "only in answers",
    "writeOnly": "only in requests",
    "deprecated": "deprecated",
    "uniqueItems": "no element twice",
    "nullable": "may be null",
}
MOST_CHOICES = 30


def schema_row(data: dict[str, Any], schema: Any, *, name: str = "", required: bool = False) -> SchemaRow:
    """Return a schema's row with rows below it: to a depth of 8 and 400 rows in all, and no reference within itself."""
    return _Rows(data).row(schema, name, (), required=required)


class _Rows:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data
        self.left = MOST_ROWS

    def row(self, raw: Any, name: str, above: tuple[str, ...], *, required: bool = False) -> SchemaRow:
        """`above` are the references that lead here: one that is among them would never end."""
        self.left -= 1
        reference = str(raw.get("$ref", "")) if isinstance(raw, dict) else ""
        found = follow(self.data, raw)[0]
        if found is None:
            return SchemaRow(name, "any" if raw in (True, {}) else reference.rpartition("/")[2], required)
        schema = merged_all_of(self.data, found)
        title = reference.rpartition("/")[2]
        ends = (reference and reference in above) or len(above) >= DEEPEST or self.left <= 0
        below = (*above, reference)
        return SchemaRow(
            name,
            self._type(schema, title),
            required,
            str(schema.get("description") or ""),
            tuple(_notes(schema)),
            () if ends else tuple(self._children(schema, below)),
        )

    def _type(self, schema: dict[str, Any], title: str) -> str:
        kind = type_of(schema)
        if kind == "array":
            raw = schema.get("items")
            item = merged_all_of(self.data, follow(self.data, raw)[0] or {})
            named = str(raw.get("$ref", "")).rpartition("/")[2] if isinstance(raw, dict) else ""
            inner = self._type(item, named) if type_of(item) != "array" else "array"
            return f"array of {inner}" if inner else "array"
        if not kind:
            for key, word in (("oneOf", "one of"), ("anyOf", "any of")):
                if isinstance(schema.get(key), list):
                    return word
        form = schema.get("format")
        kind = f"{kind} ({form})" if isinstance(form, str) and kind else kind
        if title and kind == "object":
            return title
        return kind or "any"

    def _children(self, schema: dict[str, Any], above: tuple[str, ...]) -> Iterator[SchemaRow]:
        required = schema.get("required")
        must = required if isinstance(required, list) else []
        properties = schema.get("properties")
        for name, each in properties.items() if isinstance(properties, dict) else ():
            if self.left <= 0:
                yield SchemaRow("…", "more than can be shown here; the document has them all")
                return
            yield self.row(each, str(name), above, required=name in must)
        if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
            yield self.row(schema["additionalProperties"], "any other name", above)
        if type_of(schema) == "array":
            element = self.row(schema.get("items", {}), "each element", above)
            if element.children:
                yield from element.children if not element.notes else (element,)
        for key in ("oneOf", "anyOf"):
            choices = schema.get(key)
            for number, each in enumerate(choices if isinstance(choices, list) else (), 1):
                yield self.row(each, f"choice {number}", above)


def _notes(schema: dict[str, Any]) -> Iterator[str]:
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        shown = ", ".join(_plain(each) for each in choices[:MOST_CHOICES])
        yield f"one of {shown}{', …' if len(choices) > MOST_CHOICES else ''}"
    if "const" in schema:
        yield f"always {_plain(schema['const'])}"
    if schema.get("default") is not None:
        yield f"default {_plain(schema['default'])}"
    for key, words in BOUNDS.items():
        value = schema.get(key)
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            yield words.format(_plain(value))
    for key, word in FLAGS.items():
        if schema.get(key) is True:
            yield word
    if isinstance(schema.get("type"), list) and "null" in schema["type"]:
        yield "may be null"


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else text[:200] + "…"
