"""Where a caller's API key is found."""

from typing import Any

from apis.policy.reading import PolicyError, fields_of, one_of, path, token

HEADER = {"place": "header", "name": "x-api-key"}
PLACES = ("header", "bearer", "query", "authorizer")
# headers that say something else, so that no key can be in them
TAKEN = (
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "transfer-encoding",
)


def read_key_source(raw: Any, at: str) -> dict[str, str]:
    """Read {place, name}: place header (name x-api-key unless given), query (name needed) or bearer
    (`Authorization: Bearer KEY`); authorizer is kept as AWS has it."""
    given = fields_of(raw, at, known=("place", "name"), needed=("place",))
    place = one_of(given["place"], path(at, "place"), PLACES)
    name = given.get("name") or ""
    if place in ("bearer", "authorizer"):
        if name:
            raise PolicyError(f"The place {place} has no name; leave it out.", path(at, "name"))
        return {"place": place, "name": ""}
    if place == "query" and not name:
        raise PolicyError("Name the query parameter, such as api_key.", path(at, "name"))
    name = token(name or HEADER["name"], path(at, "name"))
    if place == "header":
        name = name.lower()
        if name in TAKEN:
            way_out = " Use the place bearer." if name == "authorization" else ""
            message = f"The header {name} cannot carry a key.{way_out}"
            raise PolicyError(message, path(at, "name"))
    return {"place": place, "name": name}
