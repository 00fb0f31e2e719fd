"""The parsed document and the one error by which the parser says no."""

from dataclasses import dataclass, field
from typing import Any

from apis.openapi.findings import Finding


class DocumentError(ValueError):
    """The text is no OpenAPI document that could be published; the message says why and the way out."""


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document as imported.

    `data` is the whole document (JSON values only, keys are text, order kept); `specification` is `2.0`,
    `3.0` or `3.1`; `findings` is what the parser noticed. Treat `data` as read-only.
    """

    data: dict[str, Any]
    specification: str
    title: str = ""
    findings: list[Finding] = field(default_factory=list)


def follow(data: dict[str, Any], node: Any) -> tuple[dict[str, Any] | None, str]:
    """Follow a local `$ref` (`#/…`, up to 20 in a row) from `node`.

    Returns (the object, '') or (None, why it cannot be followed). An object without `$ref` is itself.
    """
    for _ in range(20):
        if not isinstance(node, dict):
            return None, "it is not an object"
        reference = node.get("$ref")
        if not isinstance(reference, str):
            return node, ""
        if not reference.startswith("#/"):
            return None, f"the reference {reference[:100]!r} leads out of the document"
        node = _at(data, reference)
        if node is None:
            return None, f"the reference {reference[:100]!r} leads nowhere"
    return None, "its references go in a circle"


def _at(data: dict[str, Any], reference: str) -> Any:
    node: Any = data
    for part in reference[2:].split("/"):
        if not isinstance(node, dict):
            return None
        node = node.get(part.replace("~1", "/").replace("~0", "~"))
    return node
