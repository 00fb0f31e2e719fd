"""A version's operations -> `Deployment.compiled`, and what a stage makes of an integration's URI. Pure.

Shape of `compiled`; what is empty is left out, but for `operations`:

    {"operations": [{"id", "method", "path", "key_required", "integration", "policy", "cache_keys", "authorizer"}],
     "policy", "key_source", "responses", "compress_from", "statements",
     "authorizers": {name: as `gateway.entries.Authorizer` has it}}

with `integration` one of

    {"type": "http_proxy", "backend": backend id}      the call's path below the base path follows its own
    {"type": "http_proxy", "uri", "captures", "method", "timeout_ms",
     "request_parameters", "response_parameters", "stream"}
    {"type": "unserved", "reason"}

`uri` is the document's text, stage variables and placeholders still in it; `captures` says what fills which
placeholder: {placeholder: 0-based number of the operation's path variable, or one of AWS's expressions};
`method` '' = the client's; `timeout_ms` in milliseconds; the parameters are as `gateway.entries.Integration`
has them, stage variables still in them. `policy` is as `apis.policy.read_policy` gives it, the rest as
`apis.openapi.root.Root` has it. Operations that no call can reach (a `#` in the path, a path that differs from
an earlier one only in the names of its variables) are left out.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from apis.openapi.operations import ParsedOperation
from apis.openapi.root import Root
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
    root: Root | None = None,
) -> dict[str, Any]:
    """Freeze operations; `ids` are those of the rows by (method, path), `backend` the backend's id or ''."""
    frozen = [_operation(each, ids, backend, key_default) for each in operations if each.reachable]
    whole = root or Root()
    said = {
        "policy": whole.policy,
        "key_source": whole.key_source,
        "responses": whole.responses,
        "statements": whole.statements,
        "authorizers": whole.authorizers.served,
    }
    compress = {} if whole.compress_from is None else {"compress_from": whole.compress_from}
    return {"operations": frozen} | _without_empty(said) | compress


def _operation(
    operation: ParsedOperation, ids: Mapping[tuple[str, str], str], backend: str, key_default: bool
) -> dict[str, Any]:
    frozen = {
        "id": ids[operation.method, operation.path],
        "method": operation.method,
        "path": operation.path,
        "key_required": key_default if operation.key_required is None else operation.key_required,
        "integration": _integration(operation, backend),
    }
    own = {
        "policy": operation.policy,
        "cache_keys": operation.integration.cache_keys,
        "authorizer": operation.authorizer,
    }
    return frozen | _without_empty(own)


def _integration(operation: ParsedOperation, backend: str) -> dict[str, Any]:
    integration = operation.integration
    if operation.unserved_reason:
        return {"type": "unserved", "reason": operation.unserved_reason}
    if not integration.type:
        return {"type": "http_proxy", "backend": backend}
    frozen = {
        "type": "http_proxy",
        "uri": integration.uri,
        "captures": integration.captures,
        "method": integration.method,
        "timeout_ms": integration.timeout_ms,
    }
    return frozen | _without_empty(
        {
            "request_parameters": integration.request_parameters,
            "response_parameters": integration.response_parameters,
            "stream": integration.stream,
        }
    )


def _without_empty(said: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in said.items() if value}
