"""A part of a document: some of its operations, and only the components that those lead to."""

import copy
from collections.abc import Collection, Iterator
from typing import Any

from apis.openapi.document import follow
from apis.openapi.operations import METHODS

# where documents keep what operations point to: Swagger 2.0's places, and OpenAPI's components
PLACES = ("definitions", "parameters", "responses")
SCHEMES = ("securityDefinitions", "securitySchemes")


def excerpt(data: dict[str, Any], operations: Collection[tuple[str, str]]) -> dict[str, Any]:
    """Return a copy of a document for readers with these operations (GET, path) alone.

    What nothing leads to any more (schemas, security schemes, tags, webhooks) is left out: it may tell of the rest.
    """
    kept = {name: value for name, value in data.items() if name not in ("tags", "webhooks", "paths")}
    kept["paths"] = {}
    for path in dict.fromkeys(path for _, path in operations):
        item = follow(data, data.get("paths", {}).get(path))[0]
        if item is not None:
            kept["paths"][path] = {
                name: value
                for name, value in item.items()
                if name.lower() not in METHODS or (name.upper(), path) in operations
            }
    kept = copy.deepcopy(kept)
    _prune(kept, data)
    return kept


def _prune(kept: dict[str, Any], data: dict[str, Any]) -> None:
    needed = _needed(kept["paths"], data)
    for place in PLACES:
        if isinstance(kept.get(place), dict):
            kept[place] = {name: each for name, each in kept[place].items() if f"#/{place}/{name}" in needed}
    schemes = set(_schemes(kept["paths"], kept.get("security")))
    components = kept["components"] if isinstance(kept.get("components"), dict) else {}
    for kind, rows in components.items():
        if isinstance(rows, dict) and kind not in SCHEMES:
            start = f"#/components/{kind}/"
            components[kind] = {name: each for name, each in rows.items() if start + name in needed}
    for holder in (kept, components):
        for kind in SCHEMES:
            if isinstance(holder.get(kind), dict):
                holder[kind] = {name: each for name, each in holder[kind].items() if name in schemes}


def _needed(start: Any, data: dict[str, Any]) -> set[str]:
    """The components that can be reached, as `#/definitions/Pet` or `#/components/schemas/Pet`."""
    found: set[str] = set()
    todo = [start]
    while todo:
        for reference in _references(todo.pop()):
            parts = reference.split("/")
            name = "/".join(parts[: 4 if parts[1] == "components" else 3])
            if name not in found:
                found.add(name)
                todo.append(follow(data, {"$ref": name})[0])
    return {each.replace("~1", "/").replace("~0", "~") for each in found}


def _references(value: Any) -> Iterator[str]:
    """Every text that points into the document; a discriminator's mapping has no `$ref` around it."""
    if isinstance(value, str) and value.startswith("#/"):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each)


def _schemes(paths: dict[str, Any], root: Any) -> Iterator[str]:
    operations = (each for item in paths.values() for each in item.values() if isinstance(each, dict))
    for said in [root, *(each.get("security") for each in operations)]:
        for requirement in said if isinstance(said, list) else ():
            yield from requirement if isinstance(requirement, dict) else ()
