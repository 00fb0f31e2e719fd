"""Fetching an OpenAPI document by its URL."""


def fetch_document(url: str) -> bytes:
    """Fetch a document (http or https, 10 s, at most 3 redirects, size limit); raises Refused(field="url")."""
    raise NotImplementedError
