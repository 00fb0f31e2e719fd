"""`x-amazon-apigateway-endpoint-configuration`: at the document's root, or at one of its servers."""

from typing import Any

from apis.openapi.document import Document

EXTENSION = "x-amazon-apigateway-endpoint-configuration"
DISABLED = "disableExecuteApiEndpoint"


def disables_execute_api(document: Document) -> bool | None:
    """Return whether the document switches the canonical address off; None = it does not say."""
    servers = document.data.get("servers")
    places = [document.data, *(servers if isinstance(servers, list) else [])]
    said = [_read(place.get(EXTENSION)) for place in places if isinstance(place, dict)]
    known = [each for each in said if each is not None]
    return any(known) if known else None


def has_more(configuration: Any) -> bool:
    """Say whether a configuration asks for what has no effect here (types, VPC endpoints)."""
    return not isinstance(configuration, dict) or bool(configuration.keys() - {DISABLED})


def _read(configuration: Any) -> bool | None:
    value = configuration.get(DISABLED) if isinstance(configuration, dict) else None
    return value if isinstance(value, bool) else None
