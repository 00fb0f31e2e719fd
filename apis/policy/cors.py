"""Cross-origin resource sharing: what browsers of other origins may do."""

import re
from typing import Any

from apis.policy.reading import PolicyError, fields_of, one_of, path, texts, token, truth, whole

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
ORIGIN = re.compile(
    rf"https?://(\*\.)?({LABEL}\.)*{LABEL}(:\d{{1,5}})?\Z|https?://\[[0-9a-f:.]+\](:\d{{1,5}})?\Z"
)
FIELDS = ("origins", "methods", "headers", "expose", "max_age", "credentials")
LONGEST_AGE = 86_400


def read_cors(raw: Any, at: str) -> dict[str, Any]:
    """Read {origins, methods, headers, expose, max_age, credentials}; without methods all are allowed."""
    given = fields_of(raw, at, known=FIELDS, needed=("origins",))
    origins = texts(given["origins"], path(at, "origins"), _origin)
    if not origins:
        raise PolicyError("Name an origin such as https://app.example.com, or *.", path(at, "origins"))
    methods = texts(given.get("methods") or ["*"], path(at, "methods"), _method)
    read: dict[str, Any] = {"origins": origins, "methods": list(METHODS) if "*" in methods else methods}
    for name in ("headers", "expose"):
        if given.get(name):
            read[name] = texts(given[name], path(at, name), _header)
    if given.get("max_age") is not None:
        read["max_age"] = whole(given["max_age"], path(at, "max_age"), -1, LONGEST_AGE, "seconds")
    if given.get("credentials") is not None and truth(given["credentials"], path(at, "credentials")):
        if "*" in origins:
            message = "Browsers refuse credentials for every origin; name the origins instead of *."
            raise PolicyError(message, path(at, "credentials"))
        read["credentials"] = True
    return read


def _origin(raw: Any, at: str) -> str:
    text = raw.lower().rstrip("/") if isinstance(raw, str) else ""
    if text != "*" and not ORIGIN.match(text):
        raise PolicyError("Give an origin: *, https://app.example.com or https://*.example.com.", at)
    return text


def _method(raw: Any, at: str) -> str:
    return one_of(raw.upper() if isinstance(raw, str) else raw, at, (*METHODS, "*"))


def _header(raw: Any, at: str) -> str:
    return "*" if raw == "*" else token(raw, at)
