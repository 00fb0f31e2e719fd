"""Writing into a document whether an operation needs an API key."""

import copy
from collections.abc import Collection
from typing import Any

from apis.openapi.document import Document
from apis.openapi.operations import operation_objects
from apis.openapi.security import API_KEY, KEY_EXTENSION, KEY_HEADER, is_like, kind_of
from apis.openapi.security_schemes import schemes_of

SCHEME = {"type": "apiKey", "name": KEY_HEADER, "in": "header"}
NAMES = ("api_key", "gatehouse_api_key")
KeySource = dict[str, str] | None


def with_key_required(
    document: Document, operations: Collection[tuple[str, str]], *, required: bool
) -> Document:
    """Return a copy of the document in which these operations (method, path) need a key, or do not.

    Other security requirements stay. Raises KeyError for an operation that is not in the document.
    """
    data = copy.deepcopy(document.data)
    edited = Document(data, document.specification, document.title, document.findings)
    objects = operation_objects(edited)
    own = key_scheme(data, document.specification) if required else ""
    keys = {name for name, scheme in schemes_of(data).items() if kind_of(name, scheme) == API_KEY}
    for each in operations:
        _write(objects[each], data.get("security"), keys, own)
    return edited


def _write(operation: dict[str, Any], root: Any, keys: set[str], own: str) -> None:
    """Edit one operation; `own` is the key scheme to ask for, '' = none."""
    said = operation.get("security", root)
    known = said if isinstance(said, list) else []
    requirements = [dict(each) for each in known if isinstance(each, dict)]
    operation.pop(KEY_EXTENSION, None)
    if own:
        if not any(keys & each.keys() for each in requirements):
            requirements = [each | {own: []} for each in requirements or [{}]]
        operation["security"] = requirements
        return
    left = [{name: each[name] for name in each if name not in keys} for each in requirements]
    operation["security"] = [each for each in left if each]
    if operation["security"]:
        # what is left speaks of the backend's own sign-in, which says nothing about keys
        operation[KEY_EXTENSION] = False


def key_scheme(data: dict[str, Any], specification: str, source: KeySource = None) -> str:
    """Return the name of the document's scheme for keys; adds one to `data` if there is none.

    `source` is where keys are, as `apis.policy.read_key_source` gives it; None = the header x-api-key.
    """
    known = schemes_of(data)
    wanted = scheme_of(source, specification)
    for name, scheme in known.items():
        if is_like(scheme, wanted):
            return name
    name = next(each for each in (*NAMES, *_numbered()) if each not in known)
    if specification == "2.0":
        place = data
        key = "securityDefinitions"
    else:
        place = _object(data, "components")
        key = "securitySchemes"
    _object(place, key)[name] = wanted
    return name


def scheme_of(source: KeySource, specification: str) -> dict[str, str]:
    """Return the security scheme for keys that are at `source`."""
    if source is None or source["place"] == "authorizer":
        return dict(SCHEME)
    if source["place"] == "bearer":
        if specification == "2.0":
            return {"type": "apiKey", "name": "Authorization", "in": "header"}
        return {"type": "http", "scheme": "bearer"}
    return {"type": "apiKey", "name": source["name"], "in": source["place"]}


def _numbered() -> list[str]:
    return [f"{NAMES[-1]}_{number}" for number in range(2, 1_000)]


def _object(place: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(place.get(key), dict):
        place[key] = {}
    found: dict[str, Any] = place[key]
    return found
