"""OpenAPI documents: pure functions from text to operations, without Django.

Owns: parsing (`parse`), operations, integrations, security, findings, edits of the document.
Does not own: rows of the database, addresses, who may import.
"""

from apis.openapi.document import Document, DocumentError
from apis.openapi.findings import Finding
from apis.openapi.parse import parse

__all__ = ["Document", "DocumentError", "Finding", "parse"]
