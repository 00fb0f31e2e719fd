"""The parsed document and the one error by which the parser says no."""

from dataclasses import dataclass, field
from typing import Any

from apis.openapi.findings import Finding


class DocumentError(ValueError):
    """The text is no OpenAPI document that could be published; the message says why and the way out."""


@dataclass(frozen=True, slots=True)
class Document:
    """An OpenAPI document as imported.

    `data` is the whole document (JSON values only, keys are text, order kept); `specification` is `2.0`, `3.0`
    or `3.1`; `findings` is what the parser noticed. Treat `data` as read-only.
    """

    data: dict[str, Any]
    specification: str
    title: str = ""
    findings: list[Finding] = field(default_factory=list)
