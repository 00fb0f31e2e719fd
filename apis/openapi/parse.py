"""Text -> Document."""

from apis.openapi.document import Document

MAX_BYTES = 50_000_000


def parse(source: bytes | str, *, max_bytes: int = MAX_BYTES) -> Document:
    """Read a Swagger 2.0, OpenAPI 3.0 or 3.1 document, JSON or YAML; raises DocumentError with the reason."""
    raise NotImplementedError
