"""The list of a document's operations, with an address for each."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from apis.openapi.document import Document
from apis.openapi.operations import operation_objects
from apis.openapi.readers import NOT_SERVED

UNTAGGED = "Other operations"


@dataclass(frozen=True, slots=True)
class Line:
    """One operation in the list; `slug` is its address below the reference: `get-orders-id`."""

    slug: str
    method: str
    path: str
    summary: str
    tag: str
    operation_id: str
    deprecated: bool
    unserved: bool


def listing(data: dict[str, Any]) -> list[Line]:
    """Return the operations in the document's order, those of one tag together, untagged ones last."""
    taken: Counter[str] = Counter()
    lines = []
    for (method, path), operation in operation_objects(Document(data, "3.0")).items():
        tags = operation.get("tags")
        first = tags[0] if isinstance(tags, list) and tags else ""
        lines.append(
            Line(
                slug=_slug(method, path, taken),
                method=method,
                path=path,
                summary=_text(operation.get("summary")),
                tag=_text(first),
                operation_id=_text(operation.get("operationId")),
                deprecated=operation.get("deprecated") is True,
                unserved=NOT_SERVED in operation,
            )
        )
    order = _tag_order(data, lines)
    return sorted(lines, key=lambda line: order[line.tag])


def groups(lines: list[Line], data: dict[str, Any]) -> list[tuple[str, str, list[Line]]]:
    """Return (tag, its description, its operations) for lines in `listing`'s order."""
    described = {_text(each.get("name")): _text(each.get("description")) for each in _tags(data)}
    found: dict[str, list[Line]] = {}
    for line in lines:
        found.setdefault(line.tag, []).append(line)
    alone = len(found) == 1
    return [
        (tag or ("Operations" if alone else UNTAGGED), described.get(tag, ""), each)
        for tag, each in found.items()
    ]


def _tag_order(data: dict[str, Any], lines: list[Line]) -> dict[str, int]:
    declared = [_text(each.get("name")) for each in _tags(data)]
    used = [line.tag for line in lines if line.tag]
    return {tag: number for number, tag in enumerate([*dict.fromkeys([*declared, *used]), ""])}


def _tags(data: dict[str, Any]) -> list[dict[str, Any]]:
    tags = data.get("tags")
    return [each for each in tags if isinstance(each, dict)] if isinstance(tags, list) else []


def _slug(method: str, path: str, taken: Counter[str]) -> str:
    words = re.sub(r"[^0-9a-z_]+", "-", path.lower()).strip("-")[:100]
    slug = f"{method.lower()}-{words}".rstrip("-")
    taken[slug] += 1
    return slug if taken[slug] == 1 else f"{slug}--{taken[slug]}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
