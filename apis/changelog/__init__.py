"""What changed from one OpenAPI document to the next, and what of it breaks callers. Pure functions."""

from apis.changelog.changes import Change, Kind
from apis.changelog.compare import compare

__all__ = ["Change", "Kind", "compare"]
