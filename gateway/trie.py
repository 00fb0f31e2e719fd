"""Builds the route tree of a stage from its operations (the shape is described at `gateway.entries.Stage`).

Pure. The control plane calls it when a stage's entry is written; the gate only walks the result.
"""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

_METHOD = re.compile(r"[A-Z][A-Z0-9!#$%&'*+.^_`|~-]*")
_VARIABLE = re.compile(r"\{([^{}]*)\}")

Trie = dict[str, Any]


class UnroutableError(ValueError):
    """An operation that the gate cannot route; `operation` is its id, the text says why."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(reason)
        self.operation = operation


def build(operations: Iterable[tuple[str, str, str]]) -> Trie:
    """Return the route tree of (operation id, method, path) triples; raises UnroutableError for a bad one.

    A path starts with `/`; a segment is a literal, `{name}`, literals around variables (`{name}.json`,
    `{x}-{y}`), or, at the end, a greedy `{name+}`. Variables are numbered from 0 in the order of the path.
    The method `ANY` stands for those that have no operation of their own.
    """
    trie: Trie = {}
    for operation, method, path in operations:
        add(trie, operation, method, path)
    return trie


def add(trie: Trie, operation: str, method: str, path: str) -> None:
    """Add one operation to the tree; raises UnroutableError and leaves the tree's routes as they were."""
    method = method.upper()
    if not _METHOD.fullmatch(method):
        raise UnroutableError(operation, f"{method!r} is not an HTTP method")
    try:
        segments = [_pieces(segment) for segment in _split(path)]
        greedy = bool(segments) and segments[-1] is None
        if None in segments[:-1]:
            raise ValueError(f"a greedy variable must be the last segment of {path!r}")
    except ValueError as error:
        raise UnroutableError(operation, str(error)) from error
    node = trie
    for pieces in segments[: len(segments) - greedy]:
        node = _child(node, pieces or [])
    methods = node.setdefault("g" if greedy else "m", {})
    if method in methods:
        raise UnroutableError(operation, f"{method} {path} leads to operation {methods[method]} already")
    methods[method] = operation


def _split(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError(f"the path {path!r} must start with /")
    if re.search(r"[?#\x00-\x1f\x7f]", path):
        raise ValueError(f"the path {path!r} must not contain ?, # or control characters")
    return path[1:].split("/") if path != "/" else []


def _pieces(segment: str) -> list[str] | None:
    """Return the decoded literal pieces around the segment's variables; None for a greedy variable."""
    names = _VARIABLE.findall(segment)
    literals = [unquote(piece, errors="strict") for piece in _VARIABLE.split(segment)[::2]]
    if any("{" in piece or "}" in piece for piece in _VARIABLE.split(segment)[::2]):
        raise ValueError(f"the braces of {segment!r} do not match")
    if not all(name.rstrip("+") for name in names):
        raise ValueError(f"a variable of {segment!r} has no name")
    if not names and literals[0] in (".", ".."):
        raise ValueError("the segments . and .. cannot be routed")
    if any(name.endswith("+") for name in names):
        if literals != ["", ""]:
            raise ValueError(f"a greedy variable must be a segment of its own, not {segment!r}")
        return None
    if "" in literals[1:-1]:
        raise ValueError(f"two variables of {segment!r} stand side by side, so nothing tells them apart")
    return literals


def _child(node: Trie, pieces: list[str]) -> Trie:
    child: Trie
    if len(pieces) == 1:
        child = node.setdefault("s", {}).setdefault(pieces[0], {})
    elif pieces == ["", ""]:
        child = node.setdefault("v", {})
    else:
        child = _pattern_child(node.setdefault("p", []), pieces)
    return child


def _pattern_child(patterns: list[list[Any]], pieces: list[str]) -> Trie:
    """Find or add a pattern; those with more literal characters, then with fewer variables, come first."""
    for known, node in patterns:
        if known == pieces:
            child: Trie = node
            return child
    child = {}
    patterns.append([pieces, child])
    patterns.sort(key=lambda pattern: (-sum(map(len, pattern[0])), len(pattern[0]), pattern[0]))
    return child
