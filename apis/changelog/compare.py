"""The changelog between two documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apis.changelog.changes import Change, Kind
from apis.changelog.requests import Parameters, parameters_of, request_schema, responses_of, schema_of
from apis.changelog.schemas import Pair, schema_changes
from apis.openapi.document import Document, follow
from apis.openapi.operations import operation_objects
from apis.openapi.paths import shape

ORDER: tuple[Kind, ...] = ("removed", "changed", "deprecated", "added")


@dataclass(frozen=True, slots=True)
class _Place:
    """An operation in its document; `item` holds what its path says for all methods."""

    document: Document
    method: str
    path: str
    operation: dict[str, Any]
    item: dict[str, Any]


def compare(before: Document, after: Document) -> list[Change]:
    """Return what changed for callers: what breaks them first, then removed, changed, deprecated, added.

    Operations are the same when a call cannot tell them apart, so a renamed path variable is no change.
    Descriptions, examples and extensions are not compared.
    """
    old, new = _places(before), _places(after)
    changes: list[Change] = []
    for key, place in old.items():
        if key not in new:
            gone = "The operation is gone."
            changes.append(Change("removed", place.method, place.path, gone, breaking=True))
    for key, place in new.items():
        if key in old:
            changes += _changes_of(old[key], place)
        else:
            changes.append(Change("added", place.method, place.path, "A new operation."))
    return sorted(changes, key=lambda each: (not each.breaking, ORDER.index(each.kind)))


def _places(document: Document) -> dict[tuple[str, str], _Place]:
    found: dict[tuple[str, str], _Place] = {}
    for (method, path), operation in operation_objects(document).items():
        item = follow(document.data, document.data["paths"][path])[0] or {}
        place = _Place(document, method, path, operation, item)
        found.setdefault((method, shape(path)), place)
    return found


def _changes_of(old: _Place, new: _Place) -> Iterator[Change]:
    def change(kind: Kind, message: str, breaking: bool = False) -> Change:
        return Change(kind, new.method, new.path, message, breaking)

    if bool(old.operation.get("deprecated")) != bool(new.operation.get("deprecated")):
        if new.operation.get("deprecated"):
            yield change("deprecated", "Deprecated: it goes on answering.")
        else:
            yield change("changed", "No longer deprecated.")
    found = [*_parameters(old, new), *_security(old, new), *_body(old, new), *_answers(old, new)]
    yield from (change("changed", message, breaking) for message, breaking in found)


def _parameters(old: _Place, new: _Place) -> Iterator[tuple[str, bool]]:
    before: Parameters = parameters_of(old.document, old.operation, old.item)
    after: Parameters = parameters_of(new.document, new.operation, new.item)
    pair = Pair(old.document, new.document, sent=True)
    for place, name in before.keys() - after.keys():
        yield f"The {place} parameter {name} is gone.", False
    for (place, name), parameter in after.items():
        known, must = before.get((place, name)), parameter.get("required") is True
        label = f"The {place} parameter {name}"
        if known is None:
            yield f"{label} is new{' and must be sent' if must else ''}.", must
            continue
        if must and known.get("required") is not True:
            yield f"{label} must be sent.", True
        yield from schema_changes(pair, schema_of(known), schema_of(parameter), label)


def _security(old: _Place, new: _Place) -> Iterator[tuple[str, bool]]:
    before, after = _asks(old), _asks(new)
    if after and not before:
        yield "Callers must show who they are.", True
    elif before and not after:
        yield "Anybody may call it.", False


def _asks(place: _Place) -> bool:
    said = place.operation.get("security", place.document.data.get("security"))
    return isinstance(said, list) and bool(said) and all(said)


def _body(old: _Place, new: _Place) -> Iterator[tuple[str, bool]]:
    before, had_to, old_media = request_schema(old.document, old.operation, old.item)
    after, has_to, new_media = request_schema(new.document, new.operation, new.item)
    if has_to and not had_to:
        yield "A body must be sent.", True
    elif before is not None and after is None:
        yield "It takes no body any more.", True
    for media in sorted(old_media - new_media) if new_media else ():
        yield f"Bodies as {media} are not taken any more.", True
    pair = Pair(old.document, new.document, sent=True)
    if before is not None and after is not None:
        yield from schema_changes(pair, before, after, "body")


def _answers(old: _Place, new: _Place) -> Iterator[tuple[str, bool]]:
    before, after = responses_of(old.document, old.operation), responses_of(new.document, new.operation)
    pair = Pair(old.document, new.document, sent=False)
    for status in sorted(before.keys() - after.keys()):
        yield f"The answer {status} is gone.", status.startswith("2")
    for status in sorted(after.keys() - before.keys()):
        yield f"The answer {status} is new.", False
    for status in sorted(before.keys() & after.keys()):
        if before[status] is not None and after[status] is None:
            yield f"The answer {status} has no described body any more.", status.startswith("2")
        elif before[status] is not None:
            yield from schema_changes(pair, before[status], after[status], f"answer {status}")
