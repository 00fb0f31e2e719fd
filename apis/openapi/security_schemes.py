"""Where a document keeps its security schemes."""

from typing import Any


def schemes_of(data: dict[str, Any]) -> dict[str, Any]:
    """Return the document's security schemes by name; AWS's documents mix both places, so both are read."""
    components = data.get("components")
    found: dict[str, Any] = {}
    in_components = components.get("securitySchemes") if isinstance(components, dict) else None
    for place in (data.get("securityDefinitions"), in_components):
        if isinstance(place, dict):
            found |= place
    return found
