"""What a careful reader would remark about a document. It informs; nothing here gates an import.

A strict validator refuses most documents that Amazon API Gateway takes, so these are own checks of what
matters to people who publish: names that clash, variables nobody declared, extensions without effect yet.
"""

from collections.abc import Iterable
from typing import Any

from apis.openapi.document import Document, follow
from apis.openapi.endpoint import EXTENSION, has_more
from apis.openapi.findings import INFO, WARNING, Finding, pointer
from apis.openapi.operations import METHODS, ParsedOperation
from apis.openapi.paths import variables_of

PREFIX = "x-amazon-apigateway-"
KEPT_ONLY = {
    PREFIX + "binary-media-types": "Binary media types",
    PREFIX + "request-validator": "Request validation",
    EXTENSION: "Endpoint types",
}


def remarks(document: Document, operations: Iterable[ParsedOperation]) -> list[Finding]:
    """Return findings about the document as a whole and about its operations' descriptions."""
    data = document.data
    operations = list(operations)
    findings = list(document.findings)
    info = data.get("info")
    if not isinstance(info, dict) or not info.get("version"):
        findings.append(Finding(INFO, "/info", "The document does not name its version (info.version)."))
    if not operations:
        findings.append(Finding(WARNING, "/paths", "The document describes no operation."))
    for key, what in KEPT_ONLY.items():
        if key in data and (key != EXTENSION or has_more(data[key])):
            message = f"{what} are kept in the document, but have no effect yet."
            findings.append(Finding(WARNING, pointer(key), message))
    return findings + _repeated_ids(operations) + _undeclared(document)


def _repeated_ids(operations: list[ParsedOperation]) -> list[Finding]:
    seen: dict[str, ParsedOperation] = {}
    findings = []
    for each in operations:
        if each.operation_id and seen.setdefault(each.operation_id, each) is not each:
            first = seen[each.operation_id]
            message = f"operationId {each.operation_id!r} is taken by {first.method} {first.path[:120]}."
            at = pointer("paths", each.path, each.method.lower(), "operationId")
            findings.append(Finding(WARNING, at, message))
    return findings


def _undeclared(document: Document) -> list[Finding]:
    """Find variables of a path that neither the path item nor the operation declares as parameters."""
    findings = []
    paths = document.data.get("paths")
    for path, raw in paths.items() if isinstance(paths, dict) else ():
        names = set(variables_of(path))
        item = follow(document.data, raw)[0] if names and raw is not None else None
        if item is None:
            continue
        common = names - _declared(document.data, item)
        for key in METHODS:
            operation = item.get(key)
            if common and isinstance(operation, dict):
                missing = common - _declared(document.data, operation)
                if missing:
                    shown = ", ".join(sorted(missing))[:200]
                    message = f"Not declared as path parameters: {shown}."
                    findings.append(Finding(INFO, pointer("paths", path, key), message))
    return findings


def _declared(data: dict[str, Any], owner: dict[str, Any]) -> set[str]:
    parameters = owner.get("parameters")
    found = (follow(data, each)[0] for each in (parameters if isinstance(parameters, list) else []))
    return {str(each.get("name")) for each in found if each and each.get("in") == "path"}
