"""Ready `curl` lines that work: an operation that needs nothing but a key."""

from typing import Any
from urllib.parse import quote

from django.db.models.fields.json import KeyTransform
from django.db.models.functions import Length

from apis.models import ApiVersion, Operation, Stage
from apis.queries import stage_address

KEY_PLACE = "YOUR_KEY"
LOOKED_AT = 8


def first_call(stage: Stage) -> str:
    """Return the address of a GET operation that needs no parameter; '' = there is none."""
    path = first_path(stage)
    return stage_address(stage) + path if path else ""


def first_path(stage: Stage) -> str:
    """Return the path of a GET operation that needs no parameter; '' = there is none.

    Operations that want a key first, then short paths: those are what documents use as examples. Two queries;
    the document itself stays in the database, only the few operations looked at are read from it.
    """
    candidates = list(
        Operation.objects.filter(version_id=stage.version_id, removed_at=None)
        .filter(method__in=("GET", "ANY"), unserved_reason="")
        .exclude(path__contains="{")
        .order_by("-key_required", Length("path"), "path")[:LOOKED_AT]
    )
    if not candidates:
        return ""
    items = _path_items(stage.version_id, candidates)
    free = (each for each, item in zip(candidates, items, strict=True) if not _demands(item))
    found = next(free, None)
    return found.path if found else ""


def curl_of(stage: Stage, key: str = KEY_PLACE) -> str:
    """Return a `curl` line that calls the stage with a key, wherever its API wants it; '' = there is none."""
    url = first_call(stage)
    if not url:
        return ""
    place = KeyTransform("key_source", "deployment__compiled")
    source = Stage.objects.filter(pk=stage.pk).values_list(place, flat=True).first()
    return curl(url, key, source)


def curl(url: str, key: str = KEY_PLACE, source: dict[str, str] | None = None) -> str:
    """`curl -H "x-api-key: …" "https://…"`: one line to paste into a shell."""
    place = source["place"] if source else "header"
    if place == "query" and source:
        return f'curl "{url}?{quote(source["name"])}={key}"'
    if place == "bearer":
        return f'curl -H "Authorization: Bearer {key}" "{url}"'
    name = source["name"] if source and place == "header" else "x-api-key"
    return f'curl -H "{name}: {key}" "{url}"'


def _path_items(version_id: str, operations: list[Operation]) -> tuple[Any, ...]:
    paths = [KeyTransform(each.path, KeyTransform("paths", "document")) for each in operations]
    return ApiVersion.objects.values_list(*paths).get(pk=version_id)


def _demands(item: Any) -> bool:
    """Whether the path's GET has a parameter that must be given."""
    item = item if isinstance(item, dict) else {}
    method = item.get("get") or item.get("x-amazon-apigateway-any-method") or {}
    parameters = [*item.get("parameters", []), *method.get("parameters", [])]
    return any(isinstance(each, dict) and each.get("required") for each in parameters)
