"""Which operation of a deployment a method and path reach; the order is the gate's. Pure."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

VARIABLE = re.compile(r"\{[^{}]*\}")
STATIC, PIECES, WHOLE, GREEDY = range(4)


def find_operation(operations: Iterable[dict[str, Any]], method: str, path: str) -> dict[str, Any] | None:
    """Return the operation of `Deployment.compiled["operations"]` that a call reaches, or None.

    `path` is below the stage's address, percent-encoded as a client sends it. Per segment a literal goes
    before literals around variables, before a variable, before a greedy `{proxy+}`; ANY goes last, but for HEAD
    GET. One slash at the end does not matter.
    """
    asked = path.partition("?")[0].split("/")[1:]
    wanted = [method.upper(), "ANY"] + ["GET"] * (method.upper() == "HEAD")
    rows = list(operations)
    return _find(rows, wanted, asked) or (_find(rows, wanted, asked[:-1]) if asked[-1:] == [""] else None)


def _find(rows: list[dict[str, Any]], wanted: list[str], asked: list[str]) -> dict[str, Any] | None:
    asked = asked or [""]
    found = [
        (rank, wanted.index(operation["method"]), operation)
        for operation in rows
        if operation["method"] in wanted and (rank := _rank(operation["path"], asked)) is not None
    ]
    return min(found, key=lambda item: item[:2])[2] if found else None


def _rank(template: str, asked: list[str]) -> list[tuple[int, int]] | None:
    """Return how specific the template is, segment by segment; None = it does not fit."""
    segments = template.split("/")[1:]
    rank: list[tuple[int, int]] = []
    for position, segment in enumerate(segments):
        if segment.startswith("{") and segment.endswith("+}"):
            return [*rank, (GREEDY, 0)] if "".join(asked[position:]) else None
        if position >= len(asked) or (kind := _fits(segment, asked[position])) is None:
            return None
        rank.append((kind, -len(VARIABLE.sub("", segment))))
    return rank if len(segments) == len(asked) else None


def _fits(segment: str, asked: str) -> int | None:
    if not VARIABLE.search(segment):
        return STATIC if segment == unquote(asked) else None
    if VARIABLE.fullmatch(segment):
        return WHOLE if asked else None
    pattern = "(.+)".join(re.escape(literal) for literal in VARIABLE.split(segment))
    return PIECES if re.fullmatch(pattern, asked) else None
