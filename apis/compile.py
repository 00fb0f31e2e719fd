"""A version's operations -> `Deployment.compiled`, and what a stage makes of an integration's URI. Pure.

Shape of `compiled`:

    {"operations": [{"id", "method", "path", "key_required", "integration"}]}

with `integration` one of

    {"type": "http_proxy", "backend": backend id}      the call's path below the base path follows the backend's
    {"type": "http_proxy", "uri", "captures", "method", "timeout_ms"}
    {"type": "unserved", "reason"}

`uri` is the document's text, stage variables and placeholders still in it; `captures` says which path variable of
the operation fills which placeholder: {placeholder: 0-based number of the variable in the operation's path};
`method` '' = the client's; `timeout_ms` in milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass


class UriError(ValueError):
    """The URI cannot be used with these stage variables; the message says why."""


@dataclass(frozen=True, slots=True)
class Server:
    """scheme http or https, host name or IP literal (no brackets), port."""

    scheme: str
    host: str
    port: int


def resolve_uri(
    uri: str, variables: Mapping[str, str], captures: Mapping[str, int]
) -> tuple[Server, list[str | int], str]:
    """Return (server, path, query) of an http_proxy integration's URI in a stage.

    `path` starts with "/" and lists literal texts and numbers of captured path variables; `query` has no "?".
    Raises UriError, for example for a stage variable that is not set.
    """
    raise NotImplementedError
