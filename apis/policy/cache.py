"""The response cache: how long answers are kept, and what of a call they depend on."""

import re
from typing import Any

from apis.policy.reading import PolicyError, fields_of, one_of, path, texts, whole

LONGEST_TTL = 3_600
DEFAULT_TTL = 300
INVALIDATIONS = ("warn", "allow", "ignore", "refuse")
KEY = re.compile(r"(query|header|path)\.([A-Za-z0-9._$\[\]-]{1,128})\Z")
# AWS's spelling of the same
AMAZONS = re.compile(r"method\.request\.(?:multivalue)?(querystring|query|header|path)\.(.+)\Z")


def read_cache(raw: Any, at: str) -> dict[str, Any]:
    """Read {ttl, keys, invalidation}. ttl in seconds, 0 = not cached; keys as `query.page`, `header.accept`,
    `path.id` (the name of a path variable)."""
    given = fields_of(raw, at, known=("ttl", "keys", "invalidation"), needed=("ttl",))
    read: dict[str, Any] = {"ttl": whole(given["ttl"], path(at, "ttl"), 0, LONGEST_TTL, "seconds")}
    if given.get("keys") is not None:
        read["keys"] = texts(given["keys"], path(at, "keys"), cache_key, at_most=30)
    if given.get("invalidation") is not None:
        read["invalidation"] = one_of(given["invalidation"], path(at, "invalidation"), INVALIDATIONS)
    return read


def cache_key(raw: Any, at: str) -> str:
    """Return a cache key in our spelling; AWS's `method.request.querystring.page` is taken, too."""
    text = raw if isinstance(raw, str) else ""
    amazons = AMAZONS.match(text)
    if amazons:
        text = f"{amazons[1].removesuffix('string')}.{amazons[2]}"
    found = KEY.match(text)
    if not found:
        message = "Give query.NAME, header.NAME or path.NAME, such as query.page."
        raise PolicyError(message, at)
    return text.lower() if found[1] == "header" else text
