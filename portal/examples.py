"""Ready `curl` lines that work: an operation that needs nothing but a key."""

from typing import Any

from apis.models import ApiVersion, Operation, Stage
from apis.queries import stage_address

KEY_PLACE = "YOUR_KEY"


def first_call(stage: Stage, version: ApiVersion) -> str:
    """Return path of a GET operation that takes no parameter in its path and demands none elsewhere; '' = none.

    Short paths first: they are the ones that documents put examples into. One query.
    """
    candidates = [
        operation
        for operation in version.operations.filter(
            method__in=("GET", "ANY"), unserved_reason="", removed_at=None
        ).exclude(path__contains="{")
        if not _demands(version.document, operation)
    ]
    candidates.sort(key=lambda operation: (not operation.key_required, len(operation.path), operation.path))
    return stage_address(stage) + candidates[0].path if candidates else ""


def curl(url: str, key: str = KEY_PLACE) -> str:
    """`curl -H "x-api-key: …" "https://…"` — one line to paste into a shell."""
    return f'curl -H "x-api-key: {key}" "{url}"'


def _demands(document: dict[str, Any], operation: Operation) -> bool:
    item = document.get("paths", {}).get(operation.path, {})
    method = item.get("get") or item.get("x-amazon-apigateway-any-method") or {}
    parameters = [*item.get("parameters", []), *method.get("parameters", [])]
    return any(isinstance(each, dict) and each.get("required") for each in parameters)
