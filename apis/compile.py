"""A version's operations -> `Deployment.compiled`, and what a stage makes of an integration's URI. Pure.

Shape of `compiled`:

    {"operations": [{"id", "method", "path", "key_required", "integration"}]}

with `integration` one of

    {"type": "http_proxy", "backend": backend id}      the call's path below the base path follows its own
    {"type": "http_proxy", "uri", "captures", "method", "timeout_ms"}
    {"type": "unserved", "reason"}

`uri` is the document's text, stage variables and placeholders still in it; `captures` says which path
variable of the operation fills which placeholder: {placeholder: 0-based number of the variable in the path};
`method` '' = the client's; `timeout_ms` in milliseconds. Operations that no call can reach (a `#` in the
path, a path that differs from an earlier one only in the names of its variables) are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from apis.openapi.operations import ParsedOperation
from apis.openapi.uris import Server, UriError, resolve_uri

__all__ = ["Server", "UriError", "compile_operations", "needs_backend", "resolve_uri"]


def needs_backend(operation: ParsedOperation) -> bool:
    """Tell whether the version's backend would answer this operation."""
    return not operation.integration.type and not operation.unserved_reason


def compile_operations(
    operations: Iterable[ParsedOperation],
    *,
    ids: Mapping[tuple[str, str], str],
    backend: str,
    key_default: bool,
) -> dict[str, Any]:
    """Freeze operations; `ids` are those of the rows by (method, path), `backend` the backend's id or ''."""
    return {
        "operations": [
            {
                "id": ids[each.method, each.path],
                "method": each.method,
                "path": each.path,
                "key_required": key_default if each.key_required is None else each.key_required,
                "integration": _integration(each, backend),
            }
            for each in operations
            if each.reachable
        ]
    }


def _integration(operation: ParsedOperation, backend: str) -> dict[str, Any]:
    integration = operation.integration
    if operation.unserved_reason:
        return {"type": "unserved", "reason": operation.unserved_reason}
    if not integration.type:
        return {"type": "http_proxy", "backend": backend}
    return {
        "type": "http_proxy",
        "uri": integration.uri,
        "captures": integration.captures,
        "method": integration.method,
        "timeout_ms": integration.timeout_ms,
    }
