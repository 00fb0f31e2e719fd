"""How a schema changed, as seen by who sends it (a request) or who reads it (an answer)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apis.openapi.document import Document, follow

# deeper than this nobody reads, and schemas may hold themselves
DEPTH = 8
MOST = 20
# a request may be stricter in these without looking different
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")


@dataclass(frozen=True, slots=True)
class Pair:
    """The documents before and after, and whether callers send the schema (else they read it)."""

    before: Document
    after: Document
    sent: bool


def schema_changes(pair: Pair, before: Any, after: Any, where: str) -> Iterator[tuple[str, bool]]:
    """Yield (what changed at `where`, whether it breaks callers)."""
    for count, found in enumerate(_walk(pair, before, after, where, 0)):
        if count == MOST:
            yield f"More changed in {where}.", False
            return
        yield found


def _walk(pair: Pair, before: Any, after: Any, where: str, depth: int) -> Iterator[tuple[str, bool]]:
    old, new = _whole(pair.before, before), _whole(pair.after, after)
    if depth > DEPTH or old == new == {}:
        return
    types = _types(old), _types(new)
    if types[0] and types[1] and types[0] != types[1]:
        # who sends is glad of more types, who reads of fewer
        fine = types[0] <= types[1] if pair.sent else types[1] <= types[0]
        yield f"{where} is {_list(types[1])} instead of {_list(types[0])}.", not fine
        return
    yield from _values(pair, old, new, where)
    if pair.sent:
        yield from _bounds(old, new, where)
    yield from _properties(pair, old, new, where, depth)
    if "items" in old or "items" in new:
        yield from _walk(pair, old.get("items"), new.get("items"), f"{where}[]", depth + 1)


def _whole(document: Document, schema: Any) -> dict[str, Any]:
    """Follow the reference, and lay the parts of allOf over one another."""
    found = follow(document.data, schema)[0] or {}
    parts = found.get("allOf")
    if not isinstance(parts, list):
        return found
    merged: dict[str, Any] = {"properties": {}, "required": []}
    for part in [*parts, {name: value for name, value in found.items() if name != "allOf"}]:
        flat = follow(document.data, part)[0] or {}
        merged |= {name: value for name, value in flat.items() if name not in merged}
        merged["properties"] |= _dict(flat.get("properties"))
        merged["required"] = [*merged["required"], *_texts(flat.get("required"))]
    return merged


def _values(pair: Pair, old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[tuple[str, bool]]:
    before, after = old.get("enum"), new.get("enum")
    if not isinstance(before, list) and not isinstance(after, list):
        return
    if not isinstance(before, list) or not isinstance(after, list):
        listed = isinstance(after, list)
        yield (
            f"{where} has {'a list of values' if listed else 'no list of values any more'}.",
            listed is pair.sent,
        )
        return
    gone = [each for each in before if each not in after]
    more = [each for each in after if each not in before]
    if gone:
        yield f"{where} is no longer {_list(gone)}.", pair.sent
    if more:
        yield f"{where} can be {_list(more)}.", False


def _bounds(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[tuple[str, bool]]:
    for name in (*UPPER, *LOWER):
        before, after = old.get(name), new.get(name)
        # exclusiveMaximum is a truth value in OpenAPI 3.0
        if before == after or isinstance(before, bool) or isinstance(after, bool):
            continue
        if not isinstance(after, int | float):
            yield f"{where} has no {name} any more.", False
            continue
        stricter = not isinstance(before, int | float) or (after < before) == (name in UPPER)
        yield f"{where} has the {name} {after:g}.", stricter


def _properties(
    pair: Pair, old: dict[str, Any], new: dict[str, Any], where: str, depth: int
) -> Iterator[tuple[str, bool]]:
    before, after = _dict(old.get("properties")), _dict(new.get("properties"))
    needed, needs = set(_texts(old.get("required"))), set(_texts(new.get("required")))
    for name in before.keys() - after.keys() if before and after else ():
        yield f"{where}.{name} is gone.", not pair.sent
    for name, schema in after.items():
        path = f"{where}.{name}"
        if name not in before:
            must = pair.sent and name in needs
            yield f"{path} is new{' and must be sent' if must else ''}.", must
            continue
        if pair.sent and name in needs - needed:
            yield f"{path} must be sent.", True
        if not pair.sent and name in needed - needs:
            yield f"{path} may be missing.", True
        yield from _walk(pair, before[name], schema, path, depth + 1)


def _types(schema: dict[str, Any]) -> frozenset[str]:
    kind = schema.get("type")
    found = set(_texts(kind)) if isinstance(kind, list) else {kind} if isinstance(kind, str) else set()
    if not found and isinstance(schema.get("properties"), dict) and schema["properties"]:
        found = {"object"}
    if schema.get("nullable") is True and found:
        found.add("null")
    # every integer is a number, so a number takes both
    return frozenset(found | {"integer"} if "number" in found else found)


def _list(values: Any) -> str:
    names = sorted(map(str, values))
    if "number" in names and "integer" in names:
        names.remove("integer")
    return ", ".join(name[:60] for name in names[:8])


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
