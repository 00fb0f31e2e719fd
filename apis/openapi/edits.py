"""Writing policies into a document: in AWS's extensions where there are some, else in our own."""

import copy
from collections.abc import Callable
from typing import Any

from apis.openapi.document import Document
from apis.openapi.findings import ERROR
from apis.openapi.operations import operation_objects
from apis.openapi.root import (
    AWS_KEY_SOURCE,
    COMPRESSION,
    CORS,
    CORS_FIELDS,
    KEY_SOURCE,
    POLICY,
    RESPONSES,
    read_root,
    to_amazon,
)

HEADER = {"place": "header", "name": "x-api-key"}


def with_settings(document: Document, settings: dict[str, Any]) -> Document:
    """Return a copy in which the root says `settings`: any of policy, key_source, responses, compress_from.

    Their values are those of `apis.openapi.root.Root`; what is empty is taken out of the document. An extension
    that says the same already stays as its author wrote it.
    """
    edited, root = copied(document), read_root(document)
    anew = {each.pointer.split("/")[1] for each in root.findings if each.level == ERROR}
    own = edited.data.get(POLICY)
    if isinstance(own, dict) and "cors" in own:
        anew |= {POLICY, CORS}  # CORS has one place from now on: Amazon's
    for name, value in settings.items():
        before = _WRITERS[name](getattr(root, name))
        for extension, written in _WRITERS[name](value).items():
            if written != before[extension] or extension in anew:
                _put(edited.data, extension, written)
    return edited


def with_operation_policy(document: Document, operation: tuple[str, str], policy: dict[str, Any]) -> Document:
    """Return a copy in which an operation (method, path) has this policy of its own; {} takes it away.

    Raises KeyError for an operation that is not in the document.
    """
    edited = copied(document)
    _put(operation_objects(edited)[operation], POLICY, policy)
    return edited


def copied(document: Document) -> Document:
    """Return a document whose data can be edited without the other noticing."""
    data = copy.deepcopy(document.data)
    return Document(data, document.specification, document.title, document.findings)


def _put(place: dict[str, Any], name: str, value: Any) -> None:
    if value is None or value == {}:
        place.pop(name, None)
    else:
        place[name] = value


def _policy(value: dict[str, Any]) -> dict[str, Any]:
    rest = {name: each for name, each in value.items() if name != "cors" and each is not None}
    cors = value.get("cors") or {}
    return {
        POLICY: rest,
        CORS: {theirs: cors[ours] for theirs, ours in CORS_FIELDS.items() if ours in cors},
    }


def _key_source(value: dict[str, str] | None) -> dict[str, Any]:
    if value is None or value == HEADER:
        return {KEY_SOURCE: None, AWS_KEY_SOURCE: None}
    if value["place"] == "authorizer":
        return {KEY_SOURCE: None, AWS_KEY_SOURCE: "AUTHORIZER"}
    named = {name: each for name, each in value.items() if each}
    return {KEY_SOURCE: named, AWS_KEY_SOURCE: None}


def _responses(value: dict[str, Any]) -> dict[str, Any]:
    return {RESPONSES: {kind: to_amazon(each) for kind, each in value.items()}}


_WRITERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "policy": _policy,
    "key_source": _key_source,
    "responses": _responses,
    "compress_from": lambda value: {COMPRESSION: value},
}
