"""What differs between what a stage runs and what a deploy would freeze."""

import difflib
from typing import Any, NamedTuple

from apis.models import ApiVersion, Deployment
from apis.openapi.writing import JSON, written

# two documents of this many lines are compared in some tenths of a second
MOST_LINES = 20_000
SHOWN_LINES = 400


class Line(NamedTuple):
    """`kind` is add, del, same or place."""

    kind: str
    text: str


class Diff(NamedTuple):
    """`lines` of a unified diff; `more` are not shown; `too_long` = the documents were not compared."""

    lines: list[Line]
    added: int
    removed: int
    more: int = 0
    too_long: bool = False


_KINDS = {"+": "add", "-": "del", "@": "place"}


def differences(before: Any, after: Any) -> Diff:
    """Compare two documents as indented JSON, line by line."""
    if before == after:
        return Diff([], 0, 0)
    old, new = (written(each, JSON).splitlines() for each in (before, after))
    if max(len(old), len(new)) > MOST_LINES:
        return Diff([], 0, 0, too_long=True)
    lines = [
        Line(_KINDS.get(each[:1], "same"), each)
        for each in list(difflib.unified_diff(old, new, n=2, lineterm=""))[2:]
    ]
    kinds = [each.kind for each in lines]
    return Diff(lines[:SHOWN_LINES], kinds.count("add"), kinds.count("del"), max(len(lines) - SHOWN_LINES, 0))


def settings_that_differ(deployment: Deployment, version: ApiVersion) -> list[str]:
    """Say which settings beside the document a deploy would change."""
    operations = deployment.compiled.get("operations", ())
    backends = {each["integration"]["backend"] for each in operations if each["integration"].get("backend")}
    found = []
    if backends and version.backend_id not in backends and version.backend is not None:
        found.append(f"The backend becomes {version.backend}.")
    keyed = {(each["method"], each["path"]): each["key_required"] for each in operations}
    rows = version.operations.filter(removed_at=None).values_list("method", "path", "key_required")
    now_keyed = [f"{m} {p}" for m, p, key in rows if key and keyed.get((m, p)) is False]
    now_open = [f"{m} {p}" for m, p, key in rows if not key and keyed.get((m, p)) is True]
    if now_keyed:
        found.append(f"An API key is needed from now on for {_named(now_keyed)}.")
    if now_open:
        found.append(f"No API key is needed any more for {_named(now_open)}.")
    return found


def _named(names: list[str]) -> str:
    rest = len(names) - 3
    return ", ".join(names[:3]) + (f" and {rest} more" if rest > 0 else "")
