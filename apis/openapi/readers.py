"""The document as a developer reads it: how to call the API through the gateway, and nothing else."""

import copy
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from apis.openapi.document import Document, follow
from apis.openapi.keys import key_scheme
from apis.openapi.operations import ANY_METHOD, operation_objects
from apis.openapi.root import KEY_SOURCE, POLICY, read_root
from apis.openapi.security import API_KEY, KEY_EXTENSION, kind_of
from apis.openapi.security_schemes import schemes_of

AMAZON = "x-amazon-"
# they say who is let in, which is nobody's business
OURS = (POLICY, KEY_SOURCE)
# below these, a key is a name that the author chose
AUTHORS_OWN = ("properties", "patternProperties", "example", "examples", "default", "enum", "const", "value")
ANY_EXPANDS_TO = ("get", "post", "put", "patch", "delete")
NOT_SERVED = "x-gatehouse-not-served"


def document_for_readers(
    document: Document,
    *,
    address: str,
    keyed: Collection[tuple[str, str]],
    unserved: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """Return a copy with the gateway's `address` (a URL) and without AWS's extensions.

    Operations of `keyed` ask for the key scheme, those of `unserved` ((method, path) -> why) carry a note.
    ANY stands as its usual methods.
    """
    data = copy.deepcopy(document.data)
    copied = Document(data, document.specification, document.title)
    source = read_root(document).key_source
    scheme = key_scheme(data, document.specification, source) if keyed else ""
    keys = {name for name, each in schemes_of(data).items() if kind_of(name, each) == API_KEY} | {scheme}
    for each, operation in operation_objects(copied).items():
        _mark(operation, data.get("security"), keys, scheme if each in keyed else "")
        if each in unserved:
            _note(operation, unserved[each])
        operation.pop("servers", None)
    _expand_any(data)
    _set_address(data, document.specification, address)
    if not isinstance(data.get("info"), dict):
        data["info"] = {}
    data["info"].setdefault("title", document.title or "API")
    data["info"].setdefault("version", "1")
    cleaned: dict[str, Any] = _without_amazon(data)
    return cleaned


def _mark(operation: dict[str, Any], root: Any, keys: set[str], scheme: str) -> None:
    """Say in standard words whether the gateway asks for a key; what the backend asks for stays."""
    said = operation.get("security", root)
    others = [
        {name: each[name] for name in each if name not in keys}
        for each in (said if isinstance(said, list) else [])
        if isinstance(each, dict)
    ]
    others = [each for each in others if each]
    if scheme:
        operation["security"] = [each | {scheme: []} for each in others or [{}]]
    elif isinstance(said, list):
        operation["security"] = others
    operation.pop(KEY_EXTENSION, None)


def _note(operation: dict[str, Any], reason: str) -> None:
    operation[NOT_SERVED] = reason
    before = operation.get("description")
    note = f"**Not served by this gateway yet.** {reason}"
    operation["description"] = f"{note}\n\n{before}" if isinstance(before, str) and before else note


def _expand_any(data: dict[str, Any]) -> None:
    paths = data.get("paths")
    for raw in paths.values() if isinstance(paths, dict) else ():
        item = follow(data, raw)[0] if raw is not None else None
        if item:
            item.pop("servers", None)
        operation = item.pop(ANY_METHOD, None) or item.pop("any", None) if item else None
        if item is None or not isinstance(operation, dict):
            continue
        for method in ANY_EXPANDS_TO:
            if method not in item:
                item[method] = copy.deepcopy(operation)
                if "operationId" in operation:
                    item[method]["operationId"] = f"{operation['operationId']}_{method}"


def _set_address(data: dict[str, Any], specification: str, address: str) -> None:
    if specification != "2.0":
        data["servers"] = [{"url": address}]
        return
    parts = urlsplit(address)
    data["host"] = parts.netloc
    data["basePath"] = parts.path or "/"
    data["schemes"] = [parts.scheme]


def _without_amazon(value: Any, is_authors: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_amazon(each, key in AUTHORS_OWN)
            for key, each in value.items()
            if is_authors or not (key.startswith(AMAZON) or key in OURS)
        }
    if isinstance(value, list):
        return [_without_amazon(each, is_authors) for each in value]
    return value
