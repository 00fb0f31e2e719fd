"""Where the API of a document runs now: suggestions for its backend's URL."""

import re
from typing import Any
from urllib.parse import urljoin

from apis.openapi.document import Document
from apis.openapi.uris import read_server, split

VARIABLE = re.compile(r"\{([^{}]*)\}")


def suggest_backends(document: Document, fetched_from: str = "") -> list[str]:
    """Return http(s) URLs that may be the backend, best first, without a slash at their ends.

    Read from `servers` (with the defaults of their variables), or host, basePath and schemes; `fetched_from`
    is the document's own URL, against which relative ones are read.
    """
    found = _swagger(document.data) if document.specification == "2.0" else _servers(document.data)
    if document.specification == "2.0" and fetched_from and not document.data.get("host"):
        found = [_text(document.data.get("basePath")) or "/"]
    suggestions = []
    for url in found:
        whole = _absolute(url, fetched_from)
        if whole and whole not in suggestions:
            suggestions.append(whole)
    return suggestions


def _absolute(url: str, fetched_from: str) -> str:
    try:
        parts = split(urljoin(fetched_from, url) if fetched_from else url)
        read_server(parts)
    except ValueError:  # UriError is one, and so is what urljoin raises
        return ""
    return parts._replace(query="", fragment="").geturl().rstrip("/")


def _servers(data: dict[str, Any]) -> list[str]:
    servers = data.get("servers")
    found = []
    for server in servers if isinstance(servers, list) else []:
        if isinstance(server, dict) and isinstance(server.get("url"), str):
            variables = server.get("variables")
            known = variables if isinstance(variables, dict) else {}
            found.append(_filled(server["url"], known))
    return found


def _filled(url: str, variables: dict[str, Any]) -> str:
    return VARIABLE.sub(lambda match: _default(match[1], variables), url)


def _default(name: str, variables: dict[str, Any]) -> str:
    variable = variables.get(name)
    value = variable.get("default") if isinstance(variable, dict) else None
    return str(value) if isinstance(value, str | int) else f"{{{name}}}"


def _swagger(data: dict[str, Any]) -> list[str]:
    host = _text(data.get("host"))
    if not host:
        return []
    schemes = data.get("schemes")
    usable = [each for each in schemes if each in ("https", "http")] if isinstance(schemes, list) else []
    usable.sort(reverse=True)  # https first
    return [f"{scheme}://{host}/{_text(data.get('basePath')).strip('/')}" for scheme in usable or ["https"]]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
